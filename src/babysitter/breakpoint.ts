/** What a breakpoint of a babysitter run asks, and the gate that stands for it in the run of the effects. */
import { plainLine } from '../harness/program/last-line.ts';
import type { JsonValue } from '../json.ts';
import { effectsRunId } from './effects-run.ts';
import { answerCommand } from './open-gates.ts';
import { inputsOf } from './run/effect-files.ts';
import type { Action } from './run/load-sdk.ts';

/** A breakpoint that waits for its answer. */
export interface Breakpoint {
  /** Name of its gate in the run `effects`, the same in every process: its label and the end of its effect's id, on one line. */
  readonly gate: string;
  /** As the process gave it, any text; undefined for none. */
  readonly title: string | undefined;
  /** As the process gave it, any text; its label, where it gave none. */
  readonly question: string;
  /** All that the process passed; null for nothing. */
  readonly payload: JsonValue;
  /** What to type to answer it from anywhere. */
  readonly command: string;
}

/** The answer to a breakpoint. */
export interface BreakpointAnswer {
  readonly approved: boolean;
  /** Empty for none. */
  readonly note: string;
}

/** What this effect asks. */
export function breakpointOf(action: Action, runDir: string): Breakpoint {
  const payload = inputsOf(action);
  // Somebody has to type it.
  const gate = `${plainLine(action.label ?? '') || 'breakpoint'} ${action.effectId.slice(-6)}`;
  const given = typeof payload === 'string' ? { question: payload } : (payload ?? {});
  const { title, question = action.label ?? 'Go on?' } = given as { title?: unknown; question?: unknown };
  return {
    gate,
    title: typeof title === 'string' && title !== '' ? title : undefined,
    question: String(question),
    payload,
    command: answerCommand(effectsRunId, gate, runDir),
  };
}
