/** A group under test: entries in, steps out. */
import { setup, spawnChild, type AnyStateMachine } from 'xstate';
import { defaultBounds, type Bounds } from '../../src/group/bounds.ts';
import type { Effect } from '../../src/group/effect.ts';
import { member } from '../../src/group/member.ts';
import { define, start, step, timers, type Step } from '../../src/group/step.ts';
import type { JsonValue } from '../../src/json.ts';

// Machines here are small and dynamic: their types would be longer than they are.
// oxlint-disable-next-line typescript/no-explicit-any
export type Loose = any;
export const machine = (config: Loose, parts: Loose = {}) =>
  setup({ ...parts, actors: { member, ...parts.actors } } as Loose).createMachine({
    id: 'group',
    ...config,
  } as Loose) as unknown as AnyStateMachine;

/** A group under test: entries in, the last step out. */
export function group(
  config: AnyStateMachine,
  { input = null, bounds = {} }: { input?: JsonValue; bounds?: Partial<Bounds> } = {},
) {
  const definition = define(config);
  let seq = 1;
  let last: Step = start(definition, { seq, at: 0, input, bounds: { ...defaultBounds, ...bounds } });
  const fold = (type: string, data: Loose, at = seq) => {
    seq += 1;
    last = step(last.system, { seq, at, type, data });
    return last;
  };
  return {
    definition,
    get last() {
      return last;
    },
    get system() {
      return last.system;
    },
    get effects() {
      return told(last.effects);
    },
    signal: (type: string, more: object = {}) =>
      fold('signal', { id: String(seq), from: 'out', event: { type, ...more } }),
    ok: (address: string, result: JsonValue = null, incarnation = 1) =>
      fold('member.settled', { member: address, incarnation, attempt: 1, outcome: { status: 'ok', output: result } }),
    fail: (address: string, message: string, incarnation = 1) =>
      fold('member.settled', {
        member: address,
        incarnation,
        attempt: 1,
        outcome: { status: 'error', error: { name: 'Error', message }, class: 'failed' },
      }),
    fire: (index = 0) => {
      const timer = timers(last.system)[index];
      return fold('timer.fired', timer, timer?.dueAt);
    },
    fold,
  };
}

/** Effects in one line each. */
export function told(effects: readonly Effect[]): string[] {
  return effects.map((effect) => {
    switch (effect.type) {
      case 'emit':
      case 'log':
        return `${effect.type} ${JSON.stringify(effect.type === 'emit' ? effect.event : effect.value)}`;
      case 'deadLetter':
        return `dead ${effect.from} > ${effect.to}: ${effect.event.type} (${effect.reason})`;
      case 'end':
        return `end ${effect.status}`;
      case 'deliver':
        return `deliver ${effect.address}: ${effect.event.type} from ${JSON.stringify(effect.from)}`;
      case 'setTimer':
        return `setTimer ${effect.timer} at ${effect.dueAt}`;
      case 'clearTimer':
        return `clearTimer ${effect.timer}`;
      default:
        return `${effect.type} ${effect.address}#${effect.incarnation}`;
    }
  });
}

export const spawn = (id: string, input: Loose = { prompt: id }) =>
  spawnChild('member' as Loose, { id, input } as Loose);
