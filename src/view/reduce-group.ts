/**
 * A group's entries folded into its {@link GroupState}: plain and small, so that patches of it can be told. What it says of members,
 * gates and spending is what the host's own ledger says (`src/group/ledger.ts`); a test holds the two together.
 */
import type { Draft } from 'immer';
import type { Entry } from '../journal/port.ts';
import { addSpend, noSpend } from '../group/budget.ts';
import type { GroupEvents, GroupEventType } from '../group/entries.ts';
import type { ActorKey, GroupEnd } from '../group/effect.ts';
import { interruptedCode } from '../group/interruption.ts';
import type { PlainError } from '../harness/port.ts';
import { keyFor } from './key.ts';
import type { AttemptState, GroupState, MemberState } from './model.ts';
import { answer, gate, withdraw } from './reduce-gates.ts';
import { charge, spend, spendLate } from './reduce-spend.ts';

/** Attempts of one member that are listed; older ones are dropped from the list, never from the journal. */
const attemptsMax = 50;
/** Checkpoints and dead letters of one group that are listed. */
const listMax = 500;
/** Longest text of a field, UTF-16 units. */
const textMax = 240;

const emptyMember = (id: string, incarnation: number, atMs: number): MemberState => ({
  id,
  incarnation,
  status: 'queued',
  harness: '',
  attempt: 1,
  startedMs: null,
  endedMs: null,
  retryMs: null,
  sinceMs: atMs,
  line: '',
  error: '',
  asked: '',
  output: '',
  spend: noSpend,
  told: { tokens: 0, costUsd: 0 },
  unread: 0,
  session: '',
  attempts: [],
  changedAt: 0,
});

/** A value in one short line. */
export function short(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length > textMax ? `${text.slice(0, textMax - 1)}…` : text;
}

type Group = Draft<GroupState>;
type Member = Draft<MemberState>;

interface At {
  readonly position: number;
  readonly entry: Entry;
}

/** A group of which nothing is known yet. */
export const emptyGroup = (name: string): GroupState => ({
  name,
  status: 'active',
  machine: '',
  version: '',
  createdMs: 0,
  endedMs: null,
  end: '',
  concurrency: 0,
  actors: {},
  members: {},
  checkpoints: [],
  gates: {},
  deadLetters: [],
  goingOn: [],
  spend: noSpend,
  written: { atMs: 0, epoch: 0, beforeMs: 0 },
  warnings: [],
  signals: 0,
  messages: 0,
});

/** Folds one entry of the group's stream into `group`; `position`: its place in the run. Unknown types change nothing. */
export function reduceGroup(group: Group, position: number, entry: Entry): void {
  const { at: atMs, epoch } = entry;
  const { written } = group;
  const beforeMs = epoch === written.epoch ? written.beforeMs : written.atMs;
  group.written = { atMs, epoch, beforeMs };
  if (!Object.hasOwn(folds, entry.type)) return;
  // The journal's data has the shape of its type: entries are upcast when read.
  const fold = folds[entry.type as keyof typeof folds] as (group: Group, data: unknown, at: At) => void;
  fold(group, entry.data, { position, entry });
}

/** How a run or a group ended, in one line. */
export function endText(end: GroupEnd): string {
  if (end.status === 'completed') return `completed ${short(end.output)}`;
  return end.status === 'failed' ? `failed: ${short(end.error.message)}` : `cancelled: ${short(end.reason)}`;
}

interface Attempted {
  readonly member: string;
  readonly incarnation: number;
  readonly attempt: number;
}

/** The member's record; undefined for one of an earlier incarnation that comes late. */
function memberOf(
  group: Group,
  { member: id, incarnation, attempt }: Attempted,
  { position, entry }: At,
): Member | undefined {
  const key = keyFor(id);
  let member = group.members[key];
  if (member !== undefined && member.incarnation > incarnation) return undefined;
  if (member === undefined || member.incarnation < incarnation) {
    const before = member?.attempts ?? [];
    group.members[key] = { ...emptyMember(id, incarnation, entry.at), attempts: [...before] } as Member;
    member = group.members[key] as Member;
  }
  member.attempt = attempt;
  member.changedAt = position;
  return member;
}

/** Up to when an attempt is charged that ended with this error: one that was lost with its host up to that host's last entry. */
function endOf({ written }: Group, error: PlainError | undefined, { entry }: At): number {
  return error?.code === interruptedCode ? written.beforeMs : entry.at;
}

function become(member: Member, status: string, atMs: number): void {
  if (member.status !== status) member.sinceMs = atMs;
  member.status = status;
}

/** Ends the attempt that is under way, if one is. */
export function endAttempt(
  member: Member,
  end: NonNullable<AttemptState['end']>,
  position: number,
  atMs: number,
): void {
  const last = member.attempts.at(-1);
  if (last === undefined || last.endedAt !== undefined) return;
  last.endedAt = position;
  last.endedMs = atMs;
  last.end = end;
}

function endMember(member: Member, status: string, atMs: number): void {
  become(member, status, atMs);
  member.endedMs = atMs;
  member.retryMs = null;
}

/** It has settled, or is wanted no more: it goes on no longer, and nobody waits for the answers that it asked for. */
function leave(group: Group, { member: id, incarnation }: Attempted, isCurrent: boolean): void {
  if (isCurrent && group.goingOn.includes(id)) group.goingOn = group.goingOn.filter((one) => one !== id);
  for (const [key, { by, answer: answered }] of Object.entries(group.gates))
    if (answered === null && by === `${id}#${incarnation}`) delete group.gates[key];
}

type GroupFolds = {
  readonly [Type in GroupEventType]?: (group: Group, data: GroupEvents[Type], at: At) => void;
};

const folds: GroupFolds = {
  'group.created'(group, data, { entry }) {
    group.machine = data.machine.id;
    group.version = data.machine.version;
    group.concurrency = data.concurrency;
    group.createdMs = entry.at;
  },
  'group.migrated'(group, { to }) {
    group.machine = to.id;
    group.version = to.version;
  },
  'signal'(group) {
    group.signals += 1;
  },
  'message'(group) {
    group.messages += 1;
  },
  'message.read'(group, { member: id, incarnation, ids }) {
    const member = group.members[keyFor(id)];
    if (member?.incarnation === incarnation) member.unread = Math.max(0, member.unread - ids.length);
  },
  'gate.opened'(group, data, { position }) {
    group.gates[keyFor(data.name)] = gate(data, position);
  },
  'gate.answered'(group, data, { position }) {
    answer(group.gates, data, position);
  },
  'gate.withdrawn': ({ gates }, asked) => withdraw(gates, asked),
  'budget.warned'(group, { whose, what, spent, limit }) {
    group.warnings.push(`${whose}: ${spent} of ${limit} ${what} spent`);
  },
  'attempt.queued'(group, data, at) {
    const member = memberOf(group, data, at);
    if (member === undefined) return;
    member.harness = data.harness;
    member.retryMs = null;
    become(member, 'queued', at.entry.at);
  },
  'attempt.started'(group, data, at) {
    group.spend = addSpend(group.spend, { attempts: 1 });
    const member = memberOf(group, data, at);
    if (member === undefined) return;
    const { position, entry } = at;
    member.harness = data.harness;
    member.startedMs = entry.at;
    member.endedMs = null;
    member.retryMs = null;
    member.told = { tokens: 0, costUsd: 0 };
    member.spend = addSpend(member.spend, { attempts: 1 });
    become(member, 'running', entry.at);
    const { incarnation, attempt, harness } = data;
    member.attempts.push({ incarnation, attempt, harness, startedAt: position, startedMs: entry.at });
    if (member.attempts.length > attemptsMax) member.attempts.shift();
  },
  'attempt.session'(group, data, at) {
    const member = memberOf(group, data, at);
    if (member !== undefined) member.session = data.session;
  },
  'attempt.failed'(group, data, at) {
    const member = memberOf(group, data, at);
    if (member === undefined) return spendLate(group, data.usage);
    charge(group, member, data.usage, endOf(group, data.error, at));
    endAttempt(member, 'failed', at.position, at.entry.at);
    member.error = short(data.error.message);
    endMember(member, 'waiting', at.entry.at);
    member.retryMs = data.retryAt;
  },
  'attempt.cancelled'(group, data, at) {
    const member = memberOf(group, data, at);
    if (data.again !== true) leave(group, data, member !== undefined);
    if (member === undefined) return spendLate(group, data.usage);
    charge(group, member, data.usage, at.entry.at);
    endAttempt(member, 'cancelled', at.position, at.entry.at);
    endMember(member, data.again === true ? 'interrupted' : 'cancelled', at.entry.at);
  },
  'member.progress'(group, data, { position }) {
    const member = group.members[keyFor(data.member)];
    if (member?.incarnation !== data.incarnation) return;
    const { line, usage } = data.progress;
    if (line !== undefined) member.line = short(line);
    if (usage !== undefined && member.attempt === data.attempt) spend(group, member, usage, 0);
    member.changedAt = position;
  },
  'member.settled'(group, data, at) {
    const member = memberOf(group, data, at);
    const { outcome } = data;
    leave(group, data, member !== undefined);
    if (member === undefined) return spendLate(group, outcome.usage);
    charge(group, member, outcome.usage, endOf(group, outcome.status === 'error' ? outcome.error : undefined, at));
    endAttempt(member, outcome.status === 'ok' ? 'ok' : 'failed', at.position, at.entry.at);
    member.unread = 0;
    member.error = outcome.status === 'ok' ? '' : short(outcome.error.message);
    member.output = outcome.status === 'ok' ? short(outcome.output) : '';
    endMember(member, outcome.status === 'ok' ? 'completed' : 'failed', at.entry.at);
  },
  'checkpoint'(group, { name, settled, total, by = 'coordinator' }, { position }) {
    group.checkpoints.push({ name, settled, total, by, at: position });
    if (group.checkpoints.length > listMax) group.checkpoints.shift();
  },
  'letter.dead'(group, { from, to, reason }, { position }) {
    group.deadLetters.push({ from, to, reason, at: position });
    if (group.deadLetters.length > listMax) group.deadLetters.shift();
  },
  'group.ended'(group, data, { entry }) {
    group.status = data.status;
    group.endedMs = entry.at;
    group.end = endText(data);
    const isOn = ({ address, incarnation }: ActorKey) => {
      const member = group.members[keyFor(address)];
      return !(member?.incarnation === incarnation && (member.status === 'completed' || member.status === 'failed'));
    };
    const goingOn = data.status === 'cancelled' ? [] : (data.goingOn ?? []);
    group.goingOn = goingOn.filter(isOn).map(({ address }) => address);
    for (const member of Object.values(group.members)) {
      const isOver = ['interrupted', 'queued', 'waiting'].includes(member.status) && !group.goingOn.includes(member.id);
      if (isOver) endMember(member, 'cancelled', entry.at);
    }
  },
  'group.cancelled'(group, _data, { entry }) {
    // After its end: who does not run goes on no more; of those under way it is said when they have ended.
    const isUnderWay = (id: string) => group.members[keyFor(id)]?.status === 'running';
    for (const id of group.goingOn) {
      const member = group.members[keyFor(id)];
      if (member !== undefined && !isUnderWay(id)) endMember(member, 'cancelled', entry.at);
    }
    group.goingOn = group.goingOn.filter(isUnderWay);
  },
};
