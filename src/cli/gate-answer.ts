/** Gates as they are asked and answered at a terminal. */
import { isTroupeError } from '../error.ts';
import { plainError } from '../harness/plain-error.ts';
import { plainLine } from '../harness/program/last-line.ts';
import type { JsonValue } from '../json.ts';
import type { DataFolder } from './data-folder.ts';
import { answerRun } from './deeds.ts';
import { outputLines } from './output-lines.ts';
import type { Style } from './terminal.ts';
import type { Reply } from './terminal-questions.ts';
import { count } from './text.ts';

/** What is asked at a gate. */
export interface Asked {
  readonly gate: string;
  /** Stands before the question. */
  readonly title?: string | undefined;
  readonly question: string;
  /** What else whoever asks has told. */
  readonly payload: JsonValue;
}

const payloadLinesMax = 12;

/** The question, its title and gate, and what else was told: each text on one line, none with control characters. */
export function questionLines({ gate, title, question, payload }: Asked, style: Style): readonly string[] {
  const asked = question.split(/\r\n|[\r\n]/).map(plainLine);
  const head = `${style.yellow('?')} ${title === undefined ? '' : `${plainLine(title)}: `}`;
  const [first = '', ...more] = asked.filter((line) => line !== '');
  const rest = payloadLines(payload);
  const shown = rest.slice(0, payloadLinesMax);
  const hidden = rest.length - shown.length;
  return [
    `${head}${style.bold(first)}  ${style.dim(plainLine(gate))}`,
    ...more.slice(0, payloadLinesMax).map((line) => `  ${style.bold(line)}`),
    ...shown.map((line) => `    ${line}`),
    ...(hidden > 0 ? [style.dim(`    … ${count(hidden, 'more line')}`)] : []),
  ];
}

/** A payload without what is shown already. */
function payloadLines(payload: JsonValue): readonly string[] {
  if (payload === null || typeof payload === 'string') return [];
  if (typeof payload !== 'object' || Array.isArray(payload)) return outputLines(payload);
  const { question: _, title: __, label: ___, ...rest } = payload as Readonly<Record<string, JsonValue>>;
  return Object.keys(rest).length === 0 ? [] : outputLines(rest);
}

/** An answer in words. */
export const said = ({ approved, note }: { readonly approved: boolean; readonly note: string }) =>
  `${approved ? 'approved' : 'rejected'}${note === '' ? '' : `, “${plainLine(note)}”`}`;

/** Which gate was answered, and where to. */
export interface AnsweredGate {
  readonly data: DataFolder;
  readonly run: string;
  readonly gate: string;
  readonly group?: string | undefined;
  /** Which opening of it was asked. */
  readonly opening?: string | undefined;
  /** What to type to answer it elsewhere. */
  readonly command: string;
}

/** What became of a reply. */
export interface Recorded {
  /** False when nothing was recorded, or not yet. */
  readonly isRecorded: boolean;
  /** The same in one line. */
  readonly line: string;
}

/** Records an answer as `troupe approve` does. Never rejects. */
export async function recordReply(
  { data, run, gate, group, opening, command }: AnsweredGate,
  reply: Reply,
): Promise<Recorded> {
  if (reply === 'later') return { isRecorded: false, line: `${gate}  is left open: ${command}` };
  try {
    const { asked } = await answerRun(data, run, { gate, group, opening, ...reply });
    if (asked.by === 'waiting')
      return { isRecorded: false, line: `${gate}  the answer waits: ${asked.holder} has not taken it yet` };
    return { isRecorded: true, line: `${gate}  ${said(reply)}` };
  } catch (error) {
    const why = isTroupeError(error, 'UNKNOWN_GATE')
      ? 'was answered elsewhere a moment before; that answer stands, not this one'
      : `the answer is not recorded: ${plainLine(plainError(error).message)}; ${command}`;
    return { isRecorded: false, line: `${gate}  ${why}` };
  }
}
