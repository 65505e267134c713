/** Breakpoints of a babysitter run, asked at the terminal and answered as `troupe approve` answers them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Breakpoint, BreakpointAnswer } from '../babysitter/breakpoint.ts';
import { effectsRunId } from '../babysitter/effects-run.ts';
import { isTroupeError } from '../error.ts';
import { plainError } from '../harness/plain-error.ts';
import { plainLine } from '../harness/program/last-line.ts';
import type { JsonValue } from '../json.ts';
import { openGatesOf } from '../process/unattended.ts';
import type { DataFolder } from './data-folder.ts';
import { answerRun } from './deeds.ts';
import { knownRun } from './known-run.ts';
import { outputLines } from './output-lines.ts';
import type { Style } from './terminal.ts';
import type { Reply, TerminalQuestions } from './terminal-questions.ts';
import { count } from './text.ts';

/** What {@link breakpointQuestions} needs. */
export interface BreakpointQuestionsOptions {
  /** Where the run of the effects is. */
  readonly data: DataFolder;
  readonly questions: TerminalQuestions;
  readonly style: Style;
  /** No question begins after it is aborted. */
  readonly signal: AbortSignal;
  /** Tells how a question came out, in one line. */
  say(line: string): void;
}

/** Between two looks whether a gate is recorded, ms. */
const lookEveryMs = 50;
const payloadLinesMax = 12;

/** Asks each breakpoint that it is given, once its gate is recorded; what it returns withdraws the question, as `babysit` wants it. */
export function breakpointQuestions(options: BreakpointQuestionsOptions) {
  const { data, questions, style, signal, say } = options;
  const isOpen = async (gate: string) =>
    openGatesOf((await knownRun(data.store, effectsRunId)).view).some(({ name }) => name === gate);

  const record = async ({ gate, command }: Breakpoint, reply: Reply): Promise<void> => {
    if (reply === 'later') {
      say(`${gate}  is left open: ${command}`);
      return;
    }
    try {
      const { asked } = await answerRun(data, effectsRunId, { gate, ...reply });
      if (asked.by === 'waiting') say(`${gate}  the answer waits: ${asked.holder} has not taken it yet`);
      else say(`${gate}  ${said(reply)}`);
    } catch (error) {
      if (isTroupeError(error, 'UNKNOWN_GATE'))
        say(`${gate}  was answered elsewhere a moment before; that answer stands, not this one`);
      else say(`${gate}  the answer is not recorded: ${plainLine(plainError(error).message)}; ${command}`);
    }
  };

  return (asked: Breakpoint): ((answer?: BreakpointAnswer) => void) => {
    let isOver = false;
    let withdraw: (line?: string) => boolean = () => false;
    const begin = async () => {
      while (!isOver && !signal.aborted) {
        // Before, the answer would be one to no gate.
        if (!(await isOpen(asked.gate))) {
          await delay(lookEveryMs);
          continue;
        }
        if (!isOver && !signal.aborted)
          withdraw = questions.ask({ lines: linesOf(asked, style), reply: (reply) => record(asked, reply) });
        return;
      }
    };
    begin().catch((error: unknown) => {
      if (!signal.aborted) say(`${asked.gate}  cannot be asked here: ${plainLine(plainError(error).message)}`);
    });
    return (answer) => {
      isOver = true;
      const how = answer === undefined ? 'was resolved elsewhere' : `was answered elsewhere: ${said(answer)}`;
      withdraw(`${asked.gate}  ${how}; the question is withdrawn`);
    };
  };
}

const said = ({ approved, note }: BreakpointAnswer) =>
  `${approved ? 'approved' : 'rejected'}${note === '' ? '' : `, “${plainLine(note)}”`}`;

/** The question, its title and gate, and what else the process passed: each text on one line, none with control characters. */
function linesOf({ gate, title, question, payload }: Breakpoint, style: Style): readonly string[] {
  const asked = question.split(/\r\n|[\r\n]/).map(plainLine);
  const head = `${style.yellow('?')} ${title === undefined ? '' : `${plainLine(title)}: `}`;
  const [first = '', ...more] = asked.filter((line) => line !== '');
  const rest = outputLinesOf(payload);
  const shown = rest.slice(0, payloadLinesMax);
  const hidden = rest.length - shown.length;
  return [
    `${head}${style.bold(first)}  ${style.dim(gate)}`,
    ...more.slice(0, payloadLinesMax).map((line) => `  ${style.bold(line)}`),
    ...shown.map((line) => `    ${line}`),
    ...(hidden > 0 ? [style.dim(`    … ${count(hidden, 'more line')}`)] : []),
  ];
}

/** A payload without what is shown already. */
function outputLinesOf(payload: JsonValue): readonly string[] {
  if (payload === null || typeof payload === 'string') return [];
  if (typeof payload !== 'object' || Array.isArray(payload)) return outputLines(payload);
  const { question: _, title: __, label: ___, ...rest } = payload as Readonly<Record<string, JsonValue>>;
  return Object.keys(rest).length === 0 ? [] : outputLines(rest);
}
