/** One machine of the author's, live and folded side by side; the folded one is written and read again before every event. */
import { isDeepStrictEqual } from 'node:util';
import { createActor, type AnyActor, type AnyStateMachine, type EventObject } from 'xstate';
import { defaultBounds } from '../../src/group/bounds.ts';
import { define, persist, restore, snapshotAt, start, step, type Step } from '../../src/group/step.ts';
import type { JsonValue } from '../../src/json.ts';
import type { Loose } from './group-under-test.ts';

/** What both must agree on. */
export interface Seen {
  readonly status: string;
  readonly value: unknown;
  readonly context: unknown;
  readonly output: unknown;
  readonly error: string | undefined;
  readonly emitted: readonly unknown[];
}

/** Runs `events` through both; throws at the first difference, else says what each turn came to. */
export function sideBySide(
  machine: AnyStateMachine,
  events: readonly (string | EventObject)[],
  input: JsonValue = null,
): readonly Seen[] {
  let emitted: unknown[] = [];
  const live = createActor(machine, {
    id: machine.id,
    input,
    logger: () => {},
    inspect: (event: Loose) => {
      if (event.type === '@xstate.actor') event.actorRef.on('*', (one: unknown) => emitted.push(one));
    },
  }) as AnyActor;
  live.subscribe({ error: () => {} });
  live.start();
  const definition = define(machine);
  let last: Step = start(definition, { seq: 1, at: 0, input, bounds: defaultBounds });
  const seen: Seen[] = [];
  const compare = (what: string) => {
    const theirs = view(live.getSnapshot(), emitted);
    const ours = view(
      snapshotAt(last.system, ''),
      last.effects.flatMap((effect) => (effect.type === 'emit' ? [effect.event] : [])),
    );
    if (!isDeepStrictEqual(ours, theirs))
      throw new Error(`${what}: folded ${JSON.stringify(ours)}, live ${JSON.stringify(theirs)}`);
    seen.push(theirs);
  };
  compare('start');
  for (const [index, given] of events.entries()) {
    const event = typeof given === 'string' ? { type: given } : given;
    emitted = [];
    live.send(event);
    const system = restore(definition, JSON.parse(JSON.stringify(persist(last.system))) as JsonValue);
    const data = { id: String(index), from: 'out', event } as unknown as JsonValue;
    last = step(system, { seq: index + 2, at: index, type: 'signal', data });
    compare(`event ${index}, ${event.type}`);
  }
  return seen;
}

function view(snapshot: Loose, emitted: readonly unknown[]): Seen {
  const { status, value, context, output, error } = snapshot;
  // What is emitted leaves the group as JSON.
  return { status, value, context, output, error: error?.message, emitted: JSON.parse(JSON.stringify(emitted)) };
}
