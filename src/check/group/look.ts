/** Reading vectors of a protocol: what properties are told, and what a trace says. */
import type { JsonValue } from '../../json.ts';
import { coordinatorName, rootAddress } from '../../group/address.ts';
import { snapshotAt, wants } from '../../group/step.ts';
import type { Step } from '../checkable.ts';
import { eventText } from '../event-text.ts';
import { rootOf, type Facade } from '../kernel/locals.ts';
import type { Behaviours } from './behaviours.ts';
import type { GroupState, MemberState } from './options.ts';
import type { Slots } from './slots.ts';
import type { GroupSpace } from './space.ts';
import type { Turns } from './turns.ts';
import type { World } from './world.ts';

/** What numbers in a protocol's vectors stand for. */
export interface GroupTables {
  readonly turns: Turns;
  readonly slots: Slots;
  readonly behaviours: Behaviours;
  readonly world: World;
  readonly addresses: readonly string[];
}

const gone: MemberState = { status: 'gone', attempt: 0 };

/** A state that always tells of what `space.current` holds. */
export function groupState<Context, Output>(tables: GroupTables, space: GroupSpace): GroupState<Context, Output> {
  const { turns, slots, addresses } = tables;
  const system = () => turns.steps.locals.systemOf(space.current[0] as number);
  const roots: Facade[] = [];
  const root = () => {
    const local = space.current[0] as number;
    return (roots[local] ??= rootOf(system()));
  };
  const recordOf = (address: string) => {
    const slot = addresses.indexOf(address);
    return slot < 0 ? undefined : slots.recordOf(space.current[space.slotsAt + slot] as number);
  };
  return {
    get status() {
      return system().end?.status ?? 'active';
    },
    get output() {
      const { end } = system();
      return end?.status === 'completed' ? (end.output as Output) : undefined;
    },
    get error() {
      const { end } = system();
      return end?.status === 'failed' ? end.error.message : undefined;
    },
    get context() {
      return root().context as Context;
    },
    get value() {
      return root().value;
    },
    matches: (state) => root().matches(state),
    get members() {
      return Object.fromEntries(
        addresses.map((address) => {
          const record = recordOf(address);
          if (record === undefined || record.incarnation === 0) return [address, gone];
          const status = record.isRunning ? 'running' : 'told';
          return [address, { status, attempt: record.attempt } satisfies MemberState];
        }),
      );
    },
    executions: (address) => recordOf(address)?.executions ?? 0,
    get wanted() {
      return wants(system()).map(({ address }) => address);
    },
    get gates() {
      return Array.from(space.gateSets.read(space.current[1] as number), (gate) => turns.gateAt(gate).name);
    },
    nested: (address) => snapshotAt(system(), address) as unknown as Facade | undefined,
  };
}

/** What an action did. Its data is what a journal of it is written from. */
export function describeDeed({ turns, behaviours, world }: GroupTables, space: GroupSpace, action: number): Step {
  const { deed, slot, detail } = space.takeApart(action);
  const at = space.addressOf(slot) ?? 'host';
  const coordinator = coordinatorName;
  const result = () => {
    const [incarnation = 0, attempt = 0, outcome = 0] = space.results.read(detail);
    return { incarnation, attempt, outcome: behaviours.outcomeOf(outcome) as unknown as JsonValue };
  };
  const arrives = (isFault: boolean, more = ''): Step => {
    const data = result();
    const text = `${outcomeText(data.outcome)} (attempt ${data.attempt})${more}`;
    return { type: deed, at: coordinator, from: at, text, data, ...(isFault ? { isFault } : {}) };
  };
  switch (deed) {
    case 'begin':
      return { type: deed, at: coordinator, text: 'begins' };
    case 'ended': {
      const outcome = behaviours.outcomeOf(detail) as unknown as JsonValue;
      return { type: deed, at, text: `ends: ${outcomeText(outcome)}`, data: outcome };
    }
    case 'crashed':
      return { type: deed, at, text: 'crashes', isFault: true };
    case 'settled':
      return arrives(false);
    case 'settled again':
      return arrives(true, ', and will come again');
    case 'retried':
      return { ...arrives(false, ', is tried again'), at: 'host' };
    case 'dropped':
      return { ...arrives(true, ' is lost'), at: 'host' };
    case 'told late':
      return arrives(true, ', late');
    case 'read':
      return { type: deed, at, text: `reads ${eventText(world.letterOf(detail))}`, data: world.letterOf(detail) };
    case 'moved': {
      const move = behaviours.of(at).moves[detail] ?? null;
      return { type: deed, at, text: eventText(move), data: move };
    }
    case 'member timer':
      return { type: deed, at, text: 'its timer fires' };
    case 'sent': {
      const message = behaviours.messageOf(detail);
      const { to, type, body } = message;
      return { type: deed, at: to, from: at, text: eventText({ type, body }), data: message };
    }
    case 'timer': {
      const { data } = turns.turnOf(detail);
      const owner = data['address'] as string;
      return {
        type: deed,
        at: owner === rootAddress ? coordinator : owner,
        text: `timer ${data['timer'] as string} fires`,
        data,
      };
    }
    case 'message': {
      const { from = 'outside', type, body, data } = space.messages[detail] as (typeof space.messages)[number];
      const event = { type, ...data, ...(body === undefined ? {} : { body }) };
      return { type: deed, at: coordinator, from, text: eventText(event), data: event };
    }
    case 'gate': {
      const { name: gate, by } = turns.gateAt(detail >> 1);
      const approved = (detail & 1) === 1;
      const text = `gate ${gate} ${approved ? 'approved' : 'rejected'}`;
      return { type: deed, at: by ?? coordinator, from: 'outside', text, data: { gate, approved } };
    }
    case 'cancelled':
      return { type: deed, at: coordinator, from: 'outside', text: 'cancels the group' };
    case 'host crashed':
      return { type: deed, at: 'host', text: 'dies; the next replays', isFault: true };
  }
}

/** An outcome in a few words. */
export function outcomeText(outcome: JsonValue): string {
  const { status, output, error } = outcome as {
    readonly status: string;
    readonly output?: JsonValue;
    readonly error?: { readonly message: string };
  };
  return status === 'ok' ? `ok ${JSON.stringify(output)}` : `with ${error?.message ?? 'a failure'}`;
}
