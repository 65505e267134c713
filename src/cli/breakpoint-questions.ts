/** Breakpoints of a babysitter run, asked at the terminal and answered as `troupe approve` answers them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Breakpoint, BreakpointAnswer } from '../babysitter/breakpoint.ts';
import { effectsRunId } from '../babysitter/effects-run.ts';
import { plainError } from '../harness/plain-error.ts';
import { plainLine } from '../harness/program/last-line.ts';
import { openGatesOf } from '../process/unattended.ts';
import type { DataFolder } from './data-folder.ts';
import { questionLines, recordReply, said } from './gate-answer.ts';
import { knownRun } from './known-run.ts';
import type { Style } from './terminal.ts';
import type { TerminalQuestions } from './terminal-questions.ts';

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

/** Asks the breakpoints that it is given, in that order, each once its gate is recorded; what it returns withdraws the question, as `babysit` wants it. */
export function breakpointQuestions(options: BreakpointQuestionsOptions) {
  const { data, questions, style, signal, say } = options;
  const isOpen = async (gate: string) =>
    openGatesOf((await knownRun(data.store, effectsRunId)).view).some(({ name }) => name === gate);

  /** Resolves when the one before has been asked, or is not going to be. */
  let before: Promise<void> = Promise.resolve();

  return (asked: Breakpoint): ((answer?: BreakpointAnswer) => void) => {
    let isOver = false;
    let withdraw: (line?: string) => boolean = () => false;
    const begin = async (turn: Promise<void>) => {
      while (!isOver && !signal.aborted) {
        // Before, the answer would be one to no gate.
        if (!(await isOpen(asked.gate))) {
          await delay(lookEveryMs);
          continue;
        }
        await turn;
        if (!isOver && !signal.aborted)
          withdraw = questions.ask({
            lines: questionLines(asked, style),
            reply: async (reply) => say((await recordReply({ data, run: effectsRunId, ...asked }, reply)).line),
          });
        return;
      }
    };
    before = begin(before).catch((error: unknown) => {
      if (!signal.aborted) say(`${asked.gate}  cannot be asked here: ${plainLine(plainError(error).message)}`);
    });
    return (answer) => {
      isOver = true;
      const how = answer === undefined ? 'was resolved elsewhere' : `was answered elsewhere: ${said(answer)}`;
      withdraw(`${asked.gate}  ${how}; the question is withdrawn`);
    };
  };
}
