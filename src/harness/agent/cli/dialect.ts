/**
 * Dialects: what the lines of an agent CLI mean. A reader is made for one turn; it turns lines into events of the port, and says
 * how the turn ended by the rule of its CLI, never by the exit code alone: exit codes lie.
 */
import type { JsonValue } from '../../../json.ts';
import { turnFailed, turnFailedWith } from '../failure.ts';
import type { AgentEvent, PermissionAnswer, TurnEnd } from '../port.ts';
import type { LineObject } from './line-object.ts';

/** How a CLI's process ended, and the end of what it said on standard error. */
export interface CliExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stderr: string;
  /** The end of what it printed that is none of its dialect. */
  readonly printed?: string;
}

/** A question that came over the CLI's own protocol. */
export interface LineQuestion {
  readonly id: string;
  readonly tool: string;
  readonly input: JsonValue;
}

/** Who is told what the lines say. */
export interface LineHearer {
  emit(event: AgentEvent): void;
  /** Only CLIs that ask on their output, and are answered on their input. */
  ask(question: LineQuestion): void;
}

/** Reads one turn. */
export interface LineReader {
  take(line: LineObject): void;
  /** Its terminal line has come, and no other that takes that back: the process has nothing more to say. */
  isOver(): boolean;
  /** How the turn ended, when no more lines come. */
  end(exit: CliExit): TurnEnd;
}

/** Makes a reader for one turn. */
export type Dialect = (hearer: LineHearer) => LineReader;

/** What a CLI that is talked to while it works is told, as lines without their break. */
export interface LiveInput {
  prompt(text: string): string;
  steer(text: string): string;
  interrupt(id: string): string;
  answer(question: LineQuestion, answer: PermissionAnswer): string;
}

const wordsMax = 600;

/** As parsers of arguments say that they do not know one. */
const unknownArgument =
  /\b(unknown|unexpected|unrecognized) (argument|option|flag)s?\b.*|\bflag provided but not defined.*/i;

/** The end of a turn whose terminal line has not come: by a signal, or for what standard error says. What it printed is shown only: it may be the model's own prose. */
export function endedWithout(name: string, { exitCode, signal, stderr, printed = '' }: CliExit, said = ''): TurnEnd {
  const lines = stderr.trim() === '' ? said : stderr;
  const words = lines.trim().slice(-wordsMax);
  const shown = words || printed.trim().slice(-wordsMax);
  const because = shown === '' ? '.' : `: ${shown}`;
  if (signal !== null) return turnFailed('NO_RESULT', `${name} was killed by ${signal}${because}`);
  if (exitCode === 0 || words === '')
    return turnFailed(
      'NO_RESULT',
      `${name} ended with exit code ${exitCode} and without saying how its turn ended${because}`,
    );
  const unknown = unknownArgument.exec(lines)?.[0].trim().slice(0, wordsMax);
  if (unknown !== undefined)
    return turnFailed(
      'BAD_REQUEST',
      `${name} ended with exit code ${exitCode}, it does not take how it was started: ${unknown}\nIts version may be older or newer than those known here: \`troupe harnesses\` tells which it is.`,
    );
  return turnFailedWith(`${name} ended with exit code ${exitCode}${because}`);
}
