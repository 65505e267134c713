/** What of one entry a viewer is told, besides what it changes. */
import type { Delivery } from '../group/effect.ts';
import type { GroupEvents } from '../group/entries.ts';
import type { Entry } from '../journal/port.ts';
import type { DeliveryState, Mark } from './model.ts';

/** Deliveries of one turn that are told; further ones are counted in the last. */
const deliveriesMax = 400;

/** Who an entry is about. */
export function whoOf({ type, data }: Entry): string {
  const { member, from, to, address, by } = (data ?? {}) as Readonly<Record<string, unknown>>;
  // A dead letter is about who did not read it.
  const who =
    type === 'letter.dead' ? to : (member ?? (type === 'message' || type === 'signal' ? from : (address ?? by)));
  return typeof who === 'string' ? who : '';
}

/** What an entry itself brings to an actor. */
export function heardOf({ type, data }: Entry): DeliveryState | undefined {
  switch (type) {
    case 'signal': {
      const { from, event, to } = data as unknown as GroupEvents['signal'];
      return { from: from === '' ? 'outside' : from, to: to?.address ?? '', type: event.type };
    }
    case 'message': {
      const { from, to, type: event } = data as unknown as GroupEvents['message'];
      return { from, to, type: event };
    }
    case 'timer.fired': {
      const { address, timer } = data as unknown as GroupEvents['timer.fired'];
      return { from: address, to: address, type: timer };
    }
    case 'member.settled': {
      const { member } = data as unknown as GroupEvents['member.settled'];
      return { from: member, to: member, type: 'troupe.settled' };
    }
    default:
      return undefined;
  }
}

/** What the entry brought to an actor, and what its turn derived from that, in order. */
export function deliveriesOf(entry: Entry, derived: readonly Delivery[]): readonly DeliveryState[] {
  const heard = heardOf(entry);
  const all = derived.map(({ from, to, event }) => ({ from, to, type: event.type }));
  const told = all.slice(0, deliveriesMax);
  if (all.length > told.length) told.push({ from: '', to: '', type: `${all.length - told.length} hidden` });
  const isToldAlready = heard !== undefined && all.some(({ to, type }) => to === heard.to && type === heard.type);
  return heard === undefined || isToldAlready ? told : [heard, ...told];
}

/** What is worth jumping to, if this entry is. */
export function markOf({ stream, type, data }: Entry): Pick<Mark, 'kind' | 'label'> | undefined {
  const group = stream.startsWith('group:') ? `${stream.slice('group:'.length)}: ` : '';
  const of = (data ?? {}) as Readonly<Record<string, unknown>>;
  switch (type) {
    case 'checkpoint':
      return { kind: 'checkpoint', label: `${group}${String(of['name'])}` };
    case 'gate.opened':
      return { kind: 'gate', label: `${group}${String(of['name'])}` };
    case 'letter.dead':
      return { kind: 'dead-letter', label: `${group}${String(of['reason'])}` };
    case 'group.created':
      return { kind: 'group', label: `${group}created` };
    case 'group.ended':
    case 'run.ended':
      return { kind: of['status'] === 'failed' ? 'failure' : 'end', label: `${group}${String(of['status'])}` };
    case 'attempt.failed':
      return { kind: 'failure', label: `${group}${String(of['member'])}` };
    case 'member.settled':
      return (of['outcome'] as { status: string }).status === 'ok'
        ? undefined
        : { kind: 'failure', label: `${group}${String(of['member'])}` };
    case 'check.violated':
      return { kind: 'violation', label: `${group}${String(of['message'])}` };
    case 'check.fault':
      return { kind: 'crash', label: `${group}${String(of['text'])}` };
    case 'epoch.taken':
      return of['takenFrom'] === undefined || of['takenFrom'] === null
        ? undefined
        : { kind: 'crash', label: `host died; epoch ${String(of['epoch'])}` };
    default:
      return undefined;
  }
}

/** Whether the member succeeded, if this is how it settled. */
export function isOkOf({ type, data }: Entry): boolean | undefined {
  if (type !== 'member.settled') return undefined;
  return (data as unknown as GroupEvents['member.settled']).outcome.status === 'ok';
}

/** What went wrong in the world here, by the check kit's own entries. */
export function faultOf({ type, data }: Entry): string | undefined {
  if (type === 'check.fault') return String((data as { readonly fault?: unknown }).fault);
  return type === 'check.violated' ? 'violation' : undefined;
}
