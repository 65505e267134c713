/**
 * The ledger: what a group's stream says without its machine: members, attempts, checkpoints, status.
 * A fold like the actor system's, over the same entries; what reconciles after a crash, and what `troupe show` prints.
 */
import type { Entry } from '../journal/port.ts';
import type { Attempt, FailureClass, PlainError, Usage } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import { addSpend, noSpend, type Spend } from './budget.ts';
import type { Address, GroupEnd } from './effect.ts';
import type { GroupEvents, GroupEventType } from './entries.ts';
import { calledOff, noLongerOn, stillOn } from './going-on.ts';
import { interruptedCode } from './interruption.ts';
import { IdSet, Recipients } from './noted.ts';
import { noteClosed, noteOpened, type WorktreeRecord } from './worktree-record.ts';

/**
 * Where a member stands. `queued`: waits for a free place; `running`: an attempt is under way; `waiting`: backs off
 * before the next attempt; `interrupted`: its attempt was ended from outside (host stopped) and another may follow.
 */
export type MemberStatus = 'cancelled' | 'completed' | 'failed' | 'interrupted' | 'queued' | 'running' | 'waiting';

/** What the journal says of one member (its last incarnation). */
export interface MemberRecord {
  readonly id: Address;
  incarnation: number;
  status: MemberStatus;
  harness: string;
  /** Number of the last attempt; 1 for the first. */
  attempt: number;
  /** Attempts that ended in a failure of their own. */
  failures: number;
  /** Attempts that were lost to crashes of the host; a host that stops in order loses none. */
  interruptions: number;
  /** Time of the last start or end, ms since 1970; undefined before the first. */
  startedAt: number | undefined;
  endedAt: number | undefined;
  /** While waiting: when the next attempt is due. */
  retryAt: number | undefined;
  outputFile: string | undefined;
  /** Last line of output that was recorded. */
  line: string | undefined;
  error: PlainError | undefined;
  /** Failures of its own, oldest first: who failed, and how. */
  failed: { readonly harness: string; readonly class: FailureClass }[];
  /** The last output that was refused; replaced, never changed in place. */
  refused: Attempt['refusedOutput'];
  /** What its attempts have spent. */
  spend: Spend;
  /** What the present attempt has told of its spending, in all. */
  told: Usage | undefined;
  /** Sessions with agents, the last of each harness; replaced, never changed in place. */
  sessions: readonly SessionRecord[] | undefined;
}

/** An agent's session in which a member's attempts work. */
export interface SessionRecord {
  readonly harness: string;
  readonly id: string;
  /** The last attempt that worked in it. */
  readonly attempt: number;
  readonly data?: JsonValue;
  /** What was charged for it. */
  readonly tokens: number;
  readonly costUsd: number;
}

/** A checkpoint as recorded. */
export interface CheckpointRecord {
  readonly name: string;
  readonly seq: number;
  readonly at: number;
  readonly settled: number;
  readonly total: number;
  readonly reason?: string;
  readonly data?: JsonValue;
  /** Who wrote it: a member's address, or `process`; absent for the coordinator. */
  readonly by?: string;
  /** Which life of that member, when it is not its first. */
  readonly incarnation?: number;
}

/** A gate as recorded: open until it is answered. */
export interface GateRecord {
  readonly name: string;
  readonly question: string;
  readonly data?: JsonValue;
  readonly openedAt: number;
  /** Id of the effect that opened it; absent when the host did (a budget), or a member. */
  readonly effect?: string;
  /** Address and incarnation of the member that waits for the answer, or of the machine below the coordinator that opened it. */
  readonly by?: Address;
  readonly incarnation?: number;
  answer: { readonly approved: boolean; readonly note: string; readonly by: string; readonly at: number } | undefined;
}

/** An attempt of an earlier incarnation that was under way when the next one came. */
export interface StrayAttempt {
  readonly member: Address;
  readonly incarnation: number;
  readonly attempt: number;
  readonly harness: string;
}

/** A group as its stream tells it. Owned by whoever folds it: {@link foldLedger} changes it in place. */
export interface Ledger {
  name: string;
  status: 'active' | GroupEnd['status'];
  machine: { readonly id: string; readonly version: string };
  input: JsonValue;
  concurrency: number;
  createdAt: number;
  endedAt: number | undefined;
  end: GroupEnd | undefined;
  cancelReason: string | undefined;
  seq: number;
  /** Time of the last entry, ms since 1970, and the epoch of the host that wrote it. */
  at: number;
  epoch: number;
  /** Time of the last entry of the host before that one. */
  atBefore: number;
  members: Map<Address, MemberRecord>;
  /** Of an ended group: its background members that have not settled yet. */
  goingOn: Set<Address>;
  /** Attempts of earlier incarnations that have not ended yet. */
  strays: StrayAttempt[];
  checkpoints: CheckpointRecord[];
  /** Ids of recorded signals. */
  signals: IdSet;
  /** Recipients of recorded messages, by the message's id. */
  messages: Recipients;
  /** The last worktree of each member's incarnation, by `<address>#<incarnation>`. */
  worktrees: Map<string, WorktreeRecord>;
  /** Members that have begun, each incarnation for itself. */
  begun: number;
  /** What all attempts have spent. */
  spend: Spend;
  /** Budgets of which a warning was recorded: JSON of [whose, what]. */
  warned: Set<string>;
  /** Last gate of each name. */
  gates: Map<string, GateRecord>;
  deadLetters: number;
}

/** How many messages were recorded; one to several recipients counts for each. */
export function messageCount({ messages }: Pick<Ledger, 'messages'>): number {
  return messages.count();
}

/** How much a snapshot holds, in things that came with an entry each: snapshots as rare as they are large cost no more than the log. */
export function weightOf({ members, signals, messages }: Ledger): number {
  return members.size + signals.size + messages.size;
}

/** An empty ledger: that of a group of which nothing is recorded. */
export function emptyLedger(name: string): Ledger {
  return {
    name,
    status: 'active',
    machine: { id: '', version: '' },
    input: null,
    concurrency: 0,
    createdAt: 0,
    endedAt: undefined,
    end: undefined,
    cancelReason: undefined,
    seq: 0,
    at: 0,
    epoch: 0,
    atBefore: 0,
    members: new Map(),
    goingOn: new Set(),
    strays: [],
    checkpoints: [],
    signals: new IdSet(),
    messages: new Recipients(),
    gates: new Map(),
    worktrees: new Map(),
    begun: 0,
    spend: noSpend,
    warned: new Set(),
    deadLetters: 0,
  };
}

type Attempted = GroupEvents['attempt.started'];

/** The member's record. What comes late for an earlier incarnation gets a record of its own, which nobody keeps. */
function memberOf(ledger: Ledger, { member, incarnation, attempt }: Omit<Attempted, 'harness'>): MemberRecord {
  let record = ledger.members.get(member);
  if (record === undefined || record.incarnation !== incarnation) {
    const isLate = record !== undefined && record.incarnation > incarnation;
    if (!isLate && record?.status === 'running') {
      ledger.strays.push({ member, incarnation: record.incarnation, attempt: record.attempt, harness: record.harness });
    }
    record = {
      id: member,
      incarnation,
      status: 'queued',
      harness: '',
      attempt,
      failures: 0,
      interruptions: 0,
      startedAt: undefined,
      endedAt: undefined,
      retryAt: undefined,
      outputFile: undefined,
      line: undefined,
      error: undefined,
      failed: [],
      refused: undefined,
      spend: noSpend,
      told: undefined,
      sessions: undefined,
    };
    if (isLate)
      ledger.strays = ledger.strays.filter((stray) => stray.member !== member || stray.incarnation !== incarnation);
    else ledger.members.set(member, record);
  }
  record.attempt = attempt;
  return record;
}

function endMember(record: MemberRecord, status: MemberStatus, at: number): void {
  record.status = status;
  record.endedAt = at;
  record.retryAt = undefined;
}

/** When an attempt ended: of one that was lost with its host nobody knows, and it is charged up to the last entry of that host. */
function endOf({ atBefore }: Ledger, error: PlainError | undefined, { at }: Entry): number {
  return error?.code === interruptedCode ? atBefore : at;
}

/** What an attempt that was under way has spent: its time, and of its usage what it has not told before. */
function charge(ledger: Ledger, record: MemberRecord, usage: Usage | undefined, at: number): void {
  if (record.status !== 'running' && usage === undefined) return;
  const wallMs = record.status === 'running' ? Math.max(0, at - (record.startedAt ?? at)) : 0;
  spend(ledger, record, usage, wallMs);
}

function spend(ledger: Ledger, record: MemberRecord, usage: Usage | undefined, wallMs: number): void {
  const tokens = Math.max(0, (usage?.tokens ?? 0) - (record.told?.tokens ?? 0));
  const costUsd = Math.max(0, (usage?.costUsd ?? 0) - (record.told?.costUsd ?? 0));
  const spent = { wallMs, tokens, costUsd };
  record.spend = addSpend(record.spend, spent);
  ledger.spend = addSpend(ledger.spend, spent);
  if (usage === undefined) return;
  record.told = { tokens: (record.told?.tokens ?? 0) + tokens, costUsd: (record.told?.costUsd ?? 0) + costUsd };
  record.sessions = record.sessions?.map((one) =>
    one.harness === record.harness && one.attempt === record.attempt
      ? { ...one, tokens: one.tokens + tokens, costUsd: one.costUsd + costUsd }
      : one,
  );
}

/** Whoever asked is gone: nobody waits for these answers any more. */
function withdrawGates(ledger: Ledger, { member, incarnation }: Pick<Attempted, 'incarnation' | 'member'>): void {
  for (const [name, { by, incarnation: asked, answer }] of ledger.gates)
    if (by === member && asked === incarnation && answer === undefined) ledger.gates.delete(name);
}

type Fold = { readonly [Type in GroupEventType]: (ledger: Ledger, data: GroupEvents[Type], entry: Entry) => void };

const folds: Fold = {
  'group.created'(ledger, data, entry) {
    ledger.name = data.name;
    ledger.machine = data.machine;
    ledger.input = data.input;
    ledger.concurrency = data.concurrency;
    ledger.createdAt = entry.at;
  },
  'group.migrated'(ledger, { to, input }) {
    ledger.machine = to;
    ledger.input = input;
  },
  'signal'(ledger, data) {
    ledger.signals.add(data.id);
  },
  'budget.warned'(ledger, { whose, what }) {
    ledger.warned.add(JSON.stringify([whose, what]));
  },
  'message'(ledger, data) {
    ledger.messages.add(data.id, data.to);
  },
  'message.read'() {},
  'gate.opened'(ledger, data, entry) {
    ledger.gates.set(data.name, { ...data, openedAt: entry.at, answer: undefined });
  },
  'gate.answered'(ledger, { name, ...answer }, entry) {
    const gate = ledger.gates.get(name);
    if (gate !== undefined) gate.answer = { ...answer, at: entry.at };
  },
  'gate.withdrawn'(ledger, { name, by, incarnation }) {
    const gate = ledger.gates.get(name);
    if (gate?.by === by && gate.incarnation === incarnation && gate.answer === undefined) ledger.gates.delete(name);
  },
  'attempt.queued'(ledger, data) {
    const record = memberOf(ledger, data);
    record.status = 'queued';
    record.harness = data.harness;
    record.retryAt = undefined;
  },
  'attempt.started'(ledger, data, entry) {
    const record = memberOf(ledger, data);
    record.status = 'running';
    record.harness = data.harness;
    record.startedAt = entry.at;
    record.endedAt = undefined;
    record.retryAt = undefined;
    record.told = undefined;
    record.outputFile = data.outputFile;
    record.spend = addSpend(record.spend, { attempts: 1 });
    ledger.spend = addSpend(ledger.spend, { attempts: 1 });
    if (data.attempt === 1) ledger.begun += 1;
  },
  'attempt.session'(ledger, { member, incarnation, attempt, session: id, data }) {
    const record = memberOf(ledger, { member, incarnation, attempt });
    const { harness } = record;
    const known = record.sessions?.find((one) => one.harness === harness && one.id === id);
    const others = record.sessions?.filter((one) => one.harness !== harness) ?? [];
    const more = data === undefined ? {} : { data };
    record.sessions = [...others, { tokens: 0, costUsd: 0, ...known, harness, id, attempt, ...more }];
  },
  'attempt.failed'(ledger, data, entry) {
    const record = memberOf(ledger, data);
    charge(ledger, record, data.usage, endOf(ledger, data.error, entry));
    endMember(record, 'waiting', entry.at);
    record.retryAt = data.retryAt;
    record.error = data.error;
    if (data.error.code === interruptedCode) record.interruptions += 1;
    else {
      record.failures += 1;
      record.failed.push({ harness: record.harness, class: data.class });
      if (data.class === 'invalid-output') record.refused = { attempt: data.attempt, why: data.error.message };
    }
  },
  'attempt.cancelled'(ledger, data, entry) {
    const record = memberOf(ledger, data);
    charge(ledger, record, data.usage, entry.at);
    endMember(record, data.again === true ? 'interrupted' : 'cancelled', entry.at);
    if (data.again !== true) noLongerOn(ledger, record);
    if (ledger.gates.size > 0 && data.again !== true) withdrawGates(ledger, data);
  },
  'member.progress'(ledger, data) {
    const record = ledger.members.get(data.member);
    if (record?.incarnation !== data.incarnation) return;
    if (data.progress.line !== undefined) record.line = data.progress.line;
    if (data.progress.usage !== undefined && record.attempt === data.attempt)
      spend(ledger, record, data.progress.usage, 0);
  },
  'member.settled'(ledger, { outcome, ...data }, entry) {
    const record = memberOf(ledger, data);
    const error = outcome.status === 'ok' ? undefined : outcome.error;
    charge(ledger, record, outcome.usage, endOf(ledger, error, entry));
    endMember(record, error === undefined ? 'completed' : 'failed', entry.at);
    noLongerOn(ledger, record);
    record.error = error;
    if (ledger.gates.size > 0) withdrawGates(ledger, data);
  },
  'timer.fired'() {},
  'worktree.opened': (ledger, data) => noteOpened(ledger.worktrees, data),
  'worktree.closed': (ledger, data) => noteClosed(ledger.worktrees, data),
  'emitted'() {},
  'group.cancelled'(ledger, data, entry) {
    ledger.cancelReason ??= data.reason;
    for (const record of calledOff(ledger)) endMember(record, 'cancelled', entry.at);
  },
  'checkpoint'(ledger, { effect: _, ...data }, entry) {
    ledger.checkpoints.push({ ...data, seq: entry.seq, at: entry.at });
  },
  'letter.dead'(ledger) {
    ledger.deadLetters += 1;
  },
  'group.ended'(ledger, data, entry) {
    ledger.status = data.status;
    ledger.end = data;
    ledger.endedAt = entry.at;
    ledger.goingOn = new Set(data.status === 'cancelled' ? [] : (data.goingOn ?? []).flatMap(stillOn(ledger)));
    // What never started, or was to be tried again, will not be.
    for (const record of ledger.members.values()) {
      if (ledger.goingOn.has(record.id)) continue;
      if (record.status === 'queued' || record.status === 'waiting' || record.status === 'interrupted')
        endMember(record, 'cancelled', entry.at);
    }
  },
};

/** The journal's data has the shape of its type: entries are upcast when read. */
const foldsByType = new Map(Object.entries(folds) as [string, (ledger: Ledger, data: unknown, entry: Entry) => void][]);

/** Folds one entry into `ledger`. Unknown types change nothing. */
export function foldLedger(ledger: Ledger, entry: Entry): void {
  ledger.seq = entry.seq;
  if (entry.epoch !== ledger.epoch) {
    ledger.atBefore = ledger.at;
    ledger.epoch = entry.epoch;
  }
  foldsByType.get(entry.type)?.(ledger, entry.data, entry);
  ledger.at = entry.at;
}
