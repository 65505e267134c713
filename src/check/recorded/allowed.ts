/** Whether an entry of a journal could happen where it stands: what the group asks for then, and what the model's world may do. */
import { canonical, type JsonValue } from '../../json.ts';
import { rootAddress } from '../../group/address.ts';
import { gateName, ownGateName } from '../../group/askers.ts';
import type { Effect } from '../../group/effect.ts';
import type { GroupEvents } from '../../group/entries.ts';
import type { GroupFold } from '../../group/fold.ts';
import { interruptedCode } from '../../group/interruption.ts';
import { timers, wants } from '../../group/step.ts';
import { isLiving } from '../../group/system.ts';
import type { Entry } from '../../journal/port.ts';
import { behavioursOf } from '../group/behaviours.ts';
import type { ProtocolOptions } from '../group/options.ts';

/** What of a protocol bounds its world. */
export type Bounding = Pick<ProtocolOptions<never, never, never>, 'cancel' | 'faults' | 'members' | 'messages'>;

/** The entry as it is to be folded, or why it could not happen. */
export type Allowed = { readonly entry: Entry } | { readonly why: string };

type Attempt = { readonly member: string; readonly incarnation: number; readonly attempt: number };
type Rules = { readonly [type: string]: (entry: Entry) => Allowed | string | undefined };

/** Judges the entries of one group, in order, each before it is folded. Without a `world`, whatever the world does is allowed. Codes: BAD_INPUT. */
export function allowing(fold: GroupFold, world: Bounding | undefined): (entry: Entry) => Allowed {
  const rules: Rules = { ...attemptRules(fold, world), ...worldRules(fold, world), ...askedRules(fold) };
  return (entry) => {
    if ((entry.seq === 1) !== (entry.type === 'group.created'))
      return { why: 'a group begins with group.created, once, and with nothing else' };
    const said = rules[entry.type]?.(entry);
    if (typeof said === 'string') return { why: said };
    return said ?? { entry };
  };
}

const dataOf = <Type extends keyof GroupEvents>(entry: Entry) => entry.data as unknown as GroupEvents[Type];
const shown = ({ member, attempt }: Attempt) => `attempt ${attempt} of member \`${member}\``;

/** Attempts begin where a member is wanted, one after the other, and come to what the model lets them. */
function attemptRules(fold: GroupFold, world: Bounding | undefined): Rules {
  const behaviours = world === undefined ? undefined : behavioursOf(world.members, false);
  const begun = new Set<string>();
  const keyOf = ({ member, incarnation, attempt }: Attempt) => `${member} ${incarnation} ${attempt}`;
  const wanted = () => (fold.system === undefined ? [] : wants(fold.system));
  const isWanted = ({ member, incarnation }: Attempt) =>
    wanted().some((want) => want.address === member && want.incarnation === incarnation);
  const notWanted = ({ member }: Attempt) => {
    const names = wanted().map(({ address }) => address);
    const who = names.length === 0 ? 'nobody is' : `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'}`;
    return `member \`${member}\` is not wanted then; ${who}`;
  };
  return {
    'attempt.queued'(entry) {
      const data = dataOf<'attempt.queued'>(entry);
      return isWanted(data) ? undefined : notWanted(data);
    },
    'attempt.started'(entry) {
      const data = dataOf<'attempt.started'>(entry);
      // Noted in any case: what stands before a takeover is only read.
      begun.add(keyOf(data));
      if (!isWanted(data)) return notWanted(data);
      const record = fold.ledger.members.get(data.member);
      const last = record?.incarnation === data.incarnation ? record : undefined;
      if (last?.status === 'running') return `${shown(data)} begins, and attempt ${last.attempt} is still under way`;
      const next = last === undefined ? 1 : last.status === 'queued' ? last.attempt : last.attempt + 1;
      if (data.attempt !== next) return `${shown(data)} begins, and ${next} would be the next`;
      return undefined;
    },
    'attempt.failed'(entry) {
      const data = dataOf<'attempt.failed'>(entry);
      return begun.has(keyOf(data)) ? undefined : `${shown(data)} fails, and had not begun`;
    },
    'member.settled'(entry) {
      const { outcome, ...attempt } = dataOf<'member.settled'>(entry);
      const { member } = attempt;
      if (!isWanted(attempt))
        return begun.has(keyOf(attempt)) ? undefined : `${shown(attempt)} has a result, and had not begun`;
      const record = fold.ledger.members.get(member);
      // One that is refused has a result without a beginning, but no other attempt is under way then.
      if (record?.status === 'running' && record.incarnation === attempt.incarnation && !begun.has(keyOf(attempt)))
        return `${shown(attempt)} has a result, and had not begun; attempt ${record.attempt} is under way`;
      const behaviour = behaviours?.of(member);
      if (behaviours === undefined || behaviour === undefined || behaviour.steps !== undefined) return undefined;
      const isError = outcome.status === 'error';
      if (isError && outcome.error.code === interruptedCode) return undefined;
      if (isError && outcome.class === 'crashed' && (world?.faults?.memberCrash ?? 0) > 0) return undefined;
      const isModelled = behaviour.outcomes.some((id) => {
        const one = behaviours.outcomeOf(id);
        return one.status === 'ok' ? !isError : isError && outcome.class === one.class;
      });
      if (isModelled) return undefined;
      const how = isError ? `fails (class \`${outcome.class}\`)` : 'succeeds';
      return `member \`${member}\` ${how}, which the model does not let it do: add it to \`members\``;
    },
  };
}

/** Timers, signals, messages, cancelling. */
function worldRules(fold: GroupFold, world: Bounding | undefined): Rules {
  const behaviours = world === undefined ? undefined : behavioursOf(world.members, false);
  const says = (from: string, type: string): string | undefined => {
    if (world === undefined) return undefined;
    const who = from === 'process' ? 'outside' : from;
    if (world.messages?.some((one) => (one.from ?? 'outside') === who && one.type === type) === true) return undefined;
    if (who !== 'outside' && behaviours?.of(who).steps !== undefined) return undefined;
    return `\`${from}\` says \`${type}\`, which nobody says in the model: add it to \`messages\``;
  };
  return {
    'timer.fired'(entry) {
      const { address, incarnation, timer, dueAt } = dataOf<'timer.fired'>(entry);
      const pending = fold.system === undefined ? [] : timers(fold.system);
      const found = pending.find(
        (one) => one.address === address && one.timer === timer && one.incarnation === incarnation,
      );
      if (found === undefined) {
        const names = pending.map((one) => one.timer);
        return `timer \`${timer}\` fires, and ${names.length === 0 ? 'none is set' : `set are ${names.join(', ')}`}`;
      }
      if (found.dueAt !== dueAt) return `timer \`${timer}\` fires as due at ${dueAt}, and is set for ${found.dueAt}`;
      return entry.at < dueAt ? `timer \`${timer}\` fires ${dueAt - entry.at} ms too early` : undefined;
    },
    'signal'(entry) {
      const { from, event, to } = dataOf<'signal'>(entry);
      const { gate } = event as { readonly gate?: JsonValue };
      if (typeof gate !== 'string') return says(from, event.type);
      const name = gateName(to?.address ?? rootAddress, gate);
      return fold.ledger.gates.has(name) ? undefined : `gate \`${name}\` is answered, and nobody had opened it`;
    },
    'gate.withdrawn'(entry) {
      const { name, by: address, incarnation } = dataOf<'gate.withdrawn'>(entry);
      const isAsking = fold.system !== undefined && isLiving(fold.system, { address, incarnation });
      return isAsking ? `gate \`${name}\` is withdrawn, and \`${address}\` still waits there` : undefined;
    },
    'message'(entry) {
      const { from, to, type } = dataOf<'message'>(entry);
      return to === rootAddress ? says(from, type) : undefined;
    },
    'group.cancelled': () =>
      world === undefined || world.cancel === true
        ? undefined
        : 'somebody cancels the group, which nobody does in the model: give it `cancel: true`',
  };
}

/** What is written because the machine asked for it: found by what it says, for another version may have numbered it otherwise. */
function askedRules(fold: GroupFold): Rules {
  const recorded = (entry: Entry, isIt: (effect: Effect) => boolean, what: string): Allowed => {
    const { effect: id } = entry.data as { readonly effect?: string };
    // What a member or the process wrote.
    if (id === undefined) return { entry };
    const all = fold.unrecorded().filter(isIt);
    const effect = all.find((one) => one.id === id) ?? all[0];
    if (effect === undefined) return { why: `${what} is recorded, which the machine does not ask for then` };
    // Not spread: an entry's data may be parsed when it is first looked at.
    const { v, stream, seq, epoch, type, at, fold: stamp } = entry;
    const data = { ...(entry.data as object), effect: effect.id } as unknown as JsonValue;
    return { entry: { v, stream, seq, epoch, type, at, data, ...(stamp === undefined ? {} : { fold: stamp }) } };
  };
  const emitted = (entry: Entry, event: JsonValue, what: string, by?: string): Allowed => {
    const text = canonical(event);
    const isIt = (one: Effect) =>
      one.type === 'emit' && (by ?? one.address) === one.address && canonical(one.event as JsonValue) === text;
    return recorded(entry, isIt, what);
  };
  return {
    'checkpoint'(entry) {
      const { effect: _effect, ...mark } = entry.data as { readonly [name: string]: JsonValue };
      return emitted(entry, { ...mark, type: 'troupe.checkpoint' }, `checkpoint \`${String(mark['name'] as string)}\``);
    },
    'gate.opened'(entry) {
      const { effect: _effect, by, incarnation: _incarnation, name, ...rest } = dataOf<'gate.opened'>(entry);
      const event = { ...rest, name: ownGateName(by ?? rootAddress, name), type: 'troupe.gate' };
      return emitted(entry, event, `gate \`${name}\``, by);
    },
    'emitted'(entry) {
      const { event } = dataOf<'emitted'>(entry);
      return emitted(entry, event, `\`${event.type}\``);
    },
    'letter.dead'(entry) {
      const { to } = dataOf<'letter.dead'>(entry);
      return recorded(entry, (one) => one.type === 'deadLetter' && one.to === to, `a dead letter to \`${to}\``);
    },
    'group.ended'(entry) {
      if (fold.ledger.status !== 'active') return 'the group ends, and had ended before';
      const expected = endText(fold.system?.end as unknown as JsonValue);
      const found = endText(entry.data);
      return expected === found ? undefined : `the group is ${found}; by the machine it is ${expected}`;
    },
  };
}

function endText(end: JsonValue | undefined): string {
  if (end === undefined) return 'active';
  const { status, output, error, reason } = end as {
    readonly status: string;
    readonly output?: JsonValue;
    readonly error?: { readonly message: string };
    readonly reason?: string;
  };
  return `${status} with ${canonical(output ?? error?.message ?? reason ?? null)}`;
}
