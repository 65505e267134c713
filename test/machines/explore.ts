/**
 * Every state that a group can come to, one settlement, timer or letter at a time: breadth first over the kernel's pure step,
 * from which an old system can be stepped again. Equal states are looked at once.
 */
import { defaultBounds } from '../../src/group/bounds.ts';
import { actors, define, start, step, timers, wants, type System } from '../../src/group/step.ts';
import type { Coordinator, JsonValue, Outcome } from '../../src/index.ts';
import type { Letter } from './simulate.ts';

/** What may happen. */
export interface Possibilities {
  /** How a member may come out. */
  readonly outcomes: (member: string, incarnation: number) => readonly Outcome[];
  /** Letters that may come at any time; default none. */
  readonly letters?: readonly Letter[];
  /** May timers fire? Default true. */
  readonly isTimed?: boolean;
}

/** What was found. */
export interface Explored {
  readonly states: number;
  /** States whose group has ended, by how. */
  readonly completed: number;
  readonly failed: number;
  /** The most members at work in any state. */
  readonly mostAtOnce: number;
  /** Outputs, as JSON, each once. */
  readonly outputs: ReadonlySet<string>;
  /** States in which nothing can happen although the group goes on; there should be none. */
  readonly stuck: readonly string[];
}

const at = 1;
const statesMax = 100_000;

function keyOf(system: System): string {
  const told = actors(system).map(({ address, incarnation, running, snapshot }) => {
    const { status, value, context, output, error } = snapshot as typeof snapshot & {
      readonly value?: unknown;
      readonly context?: unknown;
    };
    return [address, incarnation, running, status, value, context, output, error];
  });
  return JSON.stringify([system.end, told, timers(system).map(({ address, timer }) => [address, timer])]);
}

/** Explores all of it; throws when there are more than 100,000 states. */
export function explore<Input>(
  machine: Coordinator<Input, unknown>,
  input: Input,
  possibilities: Possibilities,
): Explored {
  const { outcomes, letters = [], isTimed = true } = possibilities;
  let seq = 1;
  const first = start(define(machine), { seq, at, input: input as JsonValue, bounds: defaultBounds }).system;
  const seen = new Set([keyOf(first)]);
  const queue: System[] = [first];
  const outputs = new Set<string>();
  const stuck: string[] = [];
  let completed = 0;
  let failed = 0;
  let mostAtOnce = 0;

  for (let system = queue.shift(); system !== undefined; system = queue.shift()) {
    const from = system;
    if (from.end !== undefined) {
      if (from.end.status === 'completed') {
        completed += 1;
        outputs.add(JSON.stringify(from.end.output));
      } else failed += 1;
      continue;
    }
    const wanted = wants(from);
    mostAtOnce = Math.max(mostAtOnce, wanted.length);
    const fold = (type: string, data: unknown) => {
      seq += 1;
      const next = step(from, { seq, at, type, data: data as JsonValue }).system;
      const key = keyOf(next);
      if (seen.has(key)) return;
      if (seen.size === statesMax) throw new Error(`more than ${statesMax} states`);
      seen.add(key);
      queue.push(next);
    };
    for (const { address: member, incarnation } of wanted) {
      for (const outcome of outcomes(member, incarnation))
        fold('member.settled', { member, incarnation, attempt: 1, outcome });
    }
    const due = isTimed ? timers(from) : [];
    for (const timer of due) fold('timer.fired', timer);
    for (const letter of letters) {
      const { type, from: sender, body } = letter;
      if (sender === undefined) fold('signal', { id: `${seq}`, from: 'outside', event: letter });
      else fold('message', { id: 'letter', from: sender, to: '', type, body: body ?? null });
    }
    if (wanted.length + due.length === 0 && letters.length === 0) stuck.push(keyOf(from));
  }
  return { states: seen.size, completed, failed, mostAtOnce, outputs, stuck };
}
