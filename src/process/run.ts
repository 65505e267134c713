/**
 * A run that this process holds: opened (created or taken up), driven to its end or for one iteration, stopped,
 * cancelled, closed.
 */
import type { Clock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import { coordinatorName } from '../group/address.ts';
import type { Group } from '../group/group.ts';
import { openHost, runStream, type Host, type HostSettings } from '../group/host.ts';
import type { Observer } from '../group/observer.ts';
import type { Harnesses, Letter, Outcome } from '../harness/port.ts';
import { plainError } from '../harness/plain-error.ts';
import { canonical, toJson, type JsonValue } from '../json.ts';
import type { Entry, Journal, JournalStore, Lease } from '../journal/port.ts';
import { nearest } from '../nearest.ts';
import { engineVersion } from '../version.ts';
import { cancelLedgers, readRun } from './cancel.ts';
import type { Process } from './define-process.ts';
import { endKey } from './deliveries.ts';
import { startPass, type Pass } from './pass.ts';
import type { Request, Requests } from './requests.ts';
import type { RunCreated, RunEnd } from './run-view.ts';

/** What {@link openRun} needs. */
export interface RunOptions extends HostSettings {
  /** Where runs are kept. */
  readonly store: JournalStore;
  /** The process; its name must be the recorded one when the run exists. */
  readonly process: Process<never, unknown>;
  /** Id of the run: letters, digits, `.`, `_`, `-`. A run of this id that has not ended is taken up. */
  readonly run: string;
  /** Input of a new run; plain JSON, default null. When the run exists it must be the recorded one, or left out. */
  readonly input?: unknown;
  /** The process file, recorded so that `troupe resume` finds it again. */
  readonly file?: string;
  /** Who performs invocations, by name. */
  readonly harnesses: Harnesses;
  /** Harness of invocations that name none and need nothing. */
  readonly defaultHarness?: string;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  readonly observer?: Observer;
  /** Letters from other processes; looked at every 200 ms. Default: none are taken. */
  readonly requests?: Requests;
}

/** How driving a run came out. `stopped`: the host was told to stop; the run goes on when it is opened again. */
export type RunResult = RunEnd | { readonly status: 'stopped'; readonly reason: string };

/** What a run waits for, for an outside orchestrator. */
export type Pending =
  | { readonly type: 'member'; readonly group: string; readonly member: string; readonly incarnation: number; readonly invocation: unknown }
  | { readonly type: 'sleep'; readonly until: number }
  | { readonly type: 'timer'; readonly dueAt: number };

/** One pass over what is recorded. */
export type Iteration = RunEnd | { readonly status: 'waiting'; readonly pending: readonly Pending[] };

/** A run that this process holds. */
export interface Run {
  readonly id: string;
  /**
   * Drives the run to its end: performs what its groups want, and resolves when the process has returned and all its
   * groups have ended. Rejects, recording no end, when something must be mended first (JOURNAL_IO, EPOCH_STALE, NONDETERMINISM,
   * DUPLICATE_NAME, GROUP_MISMATCH, MACHINE_UNSUPPORTED …).
   */
  drive(): Promise<RunResult>;
  /** Stops driving: attempts under way are ended and made again after a resume. */
  stop(reason: string): Promise<void>;
  /** Ends the run as cancelled: all its groups and members with it. */
  cancel(reason: string): Promise<void>;
  /** Sends an event to a group's coordinator. Codes: UNKNOWN_GROUP, and those of the handle's `send`. */
  signal(group: string, event: { readonly type: string }, options: { readonly id: string }): Promise<void>;
  /** Sends a message to a member (or `*`, or `coordinator`) of a group. Codes: UNKNOWN_GROUP, and those of a group's post. */
  send(group: string, letter: Letter & { readonly id: string }): Promise<{ readonly id: string }>;
  /** Answers an open gate of the run, or of a group. Codes: UNKNOWN_GROUP, UNKNOWN_GATE. */
  answer(answer: { readonly group?: string; readonly gate: string; readonly approved: boolean; readonly note: string }): Promise<void>;
  /** Waits for writing, writes snapshots, releases the lease. Safe to call twice. */
  close(): Promise<void>;
}

/** Takes the lease and the recorded entries, or creates the run. */
async function take(options: RunOptions): Promise<{ journal: Journal; lease: Lease }> {
  const { store, run } = options;
  let journal: Journal;
  try {
    journal = await store.open(run);
  } catch (error) {
    if (!(error instanceof TroupeError) || error.code !== 'RUN_UNKNOWN') throw error;
    journal = await store.open(run, { create: true });
  }
  try {
    return { journal, lease: await journal.lease() };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/** A run's first entries, or the check that it is the same run. */
async function begin(host: Host, options: RunOptions, lease: Lease): Promise<RunCreated> {
  const created = host.recorded.find(({ type, stream }) => stream === runStream && type === 'run.created');
  const input = toJson(options.input ?? null, 'input of the run');
  let facts = created?.data as unknown as RunCreated | undefined;
  if (facts === undefined) {
    const file = options.file === undefined ? {} : { file: options.file };
    facts = { process: options.process.name, ...file, input, engine: engineVersion };
    await host.record('run.created', facts as unknown as JsonValue);
  } else if (facts.process !== options.process.name) {
    throw new TroupeError(
      'BAD_INPUT',
      `run ${options.run} belongs to process \`${facts.process}\`, and was opened with \`${options.process.name}\`. Choose another run id, or pass that process.`,
    );
  } else if (options.input !== undefined && canonical(facts.input) !== canonical(input)) {
    throw new TroupeError(
      'BAD_INPUT',
      `run ${options.run} was created with input ${canonical(facts.input).slice(0, 200)}, and was opened with ${canonical(input).slice(0, 200)}. Leave the input out to go on, or choose another run id.`,
    );
  }
  const takenFrom = lease.takenFrom === undefined ? {} : { takenFrom: lease.takenFrom };
  await host.record('epoch.taken', { epoch: lease.epoch, engine: engineVersion, ...takenFrom } as unknown as JsonValue);
  return facts;
}

interface Opened {
  readonly host: Host;
  readonly facts: RunCreated;
  readonly entries: readonly Entry[];
  readonly end: RunEnd | undefined;
  attach(pass: Pass): void;
  /** Gates of the run's own that are open. */
  gates(): ReadonlySet<string>;
}

async function open(options: RunOptions, performs: boolean): Promise<Opened> {
  const { journal, lease } = await take(options);
  let pass: Pass | undefined;
  const early: Entry[] = [];
  const gates = new Set<string>();
  const noteGate = ({ stream, type, data }: Entry) => {
    if (stream !== runStream) return;
    if (type === 'gate.opened') gates.add((data as { readonly name: string }).name);
    if (type === 'gate.answered') gates.delete((data as { readonly name: string }).name);
  };
  const applied = (entry: Entry) => {
    noteGate(entry);
    if (pass === undefined) early.push(entry);
    else pass.deliveries.offer(entry);
  };
  try {
    const { store: _store, process: _process, input: _input, file: _file, requests: _requests, ...settings } = options;
    const host = await openHost({ ...settings, journal, lease, performs, applied });
    for (const entry of host.recorded) noteGate(entry);
    const ended = host.recorded.find(({ stream, type }) => stream === runStream && type === 'run.ended');
    if (ended !== undefined) {
      const facts = host.recorded.find(({ type }) => type === 'run.created')?.data as unknown as RunCreated;
      return { host, facts, entries: host.recorded, end: ended.data as unknown as RunEnd, attach: () => {}, gates: () => gates };
    }
    for (const notice of journal.notices()) {
      if (notice.kind !== 'snapshot-ignored') await host.record('journal.repaired', notice as unknown as JsonValue);
    }
    const facts = await begin(host, options, lease);
    return {
      host,
      facts,
      gates: () => gates,
      end: undefined,
      get entries() {
        return [...host.recorded, ...early];
      },
      attach(started) {
        pass = started;
      },
    };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

function pass(opened: Opened, options: RunOptions): Pass {
  const started = startPass(opened.host, options.run, opened.entries, (ctx) => {
    // The recorded input is the one that was checked when the run was created.
    return options.process.run(ctx, structuredClone(opened.facts.input) as never);
  });
  opened.attach(started);
  return started;
}

/** Waits until all groups that the function opened have ended. */
async function groupsEnded({ deliveries, opened }: Pass): Promise<void> {
  for (const name of opened()) await deliveries.wait(endKey(name));
}

/** Records how the run ended. What the function threw ends it as failed, after its groups have been cancelled. */
async function finish(host: Host, current: Pass): Promise<RunEnd> {
  const outcome = await current.outcome;
  let end: RunEnd;
  if (outcome.status === 'returned') {
    await groupsEnded(current);
    end = { status: 'completed', output: toJson(outcome.value ?? null, 'output of the process') };
  } else {
    const error = plainError(outcome.error);
    await Promise.all([...host.groups()].map((group) => group.cancel(`the process failed: ${error.message}`)));
    await groupsEnded(current);
    end = { status: 'failed', error };
  }
  await current.settled();
  await host.record('run.ended', end as unknown as JsonValue);
  return end;
}

/**
 * Opens a run to be driven here. Codes: RUN_BUSY, BAD_INPUT, NOT_JSON, JOURNAL_CORRUPT, JOURNAL_FORMAT, JOURNAL_IO.
 * The caller closes it.
 */
export async function openRun(options: RunOptions): Promise<Run> {
  const opened = await open(options, true);
  const { host } = opened;
  let halt: (result: RunResult) => void = () => {};
  const halted = new Promise<RunResult>((resolve) => {
    halt = resolve;
  });
  let driving: Promise<RunResult> | undefined;
  let isClosed = false;

  const cancel = async (reason: string) => {
    if (opened.end !== undefined) return;
    await host.record('run.cancelled', { reason });
    await Promise.all([...host.groups()].map((group) => group.cancel(reason)));
    await host.stop(reason);
    const { groups } = await readRun(host.journal);
    const unopened = [...groups.values()].filter(({ name }) => host.group(name) === undefined);
    await cancelLedgers(host, unopened, options.harnesses, reason);
    const end: RunEnd = { status: 'cancelled', reason };
    await host.record('run.ended', end as unknown as JsonValue);
    halt(end);
  };

  const signal: Run['signal'] = async (name, event, { id }) => {
    const group = host.group(name);
    if (group === undefined) {
      const known = [...host.groups()].map((one) => one.name).join(', ');
      throw new TroupeError('UNKNOWN_GROUP', `run ${options.run} has no open group \`${name}\`; open groups: ${known || 'none'}.`);
    }
    await group.signal(toJson(event, `signal \`${id}\``) as { readonly type: string }, { id, from: 'outside' });
  };

  const groupOf = (name: string): Group => {
    const group = host.group(name);
    if (group !== undefined) return group;
    const known = [...host.groups()].map((one) => one.name);
    const near = nearest(name, known).map((one) => `\`${one}\``);
    throw new TroupeError(
      'UNKNOWN_GROUP',
      `run ${options.run} has no open group \`${name}\`; open groups: ${known.join(', ') || 'none'}.${near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ''}`,
    );
  };
  const send: Run['send'] = async (name, letter) => {
    const group = groupOf(name);
    if (letter.to !== coordinatorName) return await group.send('outside', letter);
    const body = toJson(letter.body ?? null, `message \`${letter.type}\``);
    await group.signal({ type: letter.type, body, from: 'outside' }, { id: letter.id, from: 'outside' });
    return { id: letter.id };
  };
  const answer: Run['answer'] = async ({ group, gate, approved, note }) => {
    const by = 'outside';
    if (group !== undefined) return await groupOf(group).answer(gate, { approved, note, by });
    const isOpen = opened.gates().has(gate);
    const holder = [...host.groups()].find(({ ledger }) => ledger.gates.get(gate)?.answer === undefined && ledger.gates.has(gate));
    if (isOpen) await host.record('gate.answered', { name: gate, approved, note, by });
    else if (holder !== undefined) await holder.answer(gate, { approved, note, by });
    else {
      const names = [...opened.gates(), ...[...host.groups()].flatMap(({ ledger }) => [...ledger.gates.values()].filter((one) => one.answer === undefined).map((one) => one.name))];
      throw new TroupeError('UNKNOWN_GATE', `run ${options.run} has no open gate \`${gate}\`; open gates: ${names.join(', ') || 'none'}.`);
    }
  };
  const takeRequest = async (request: Exclude<Request, { readonly type: 'cancel' }>) => {
    if (request.type === 'message') await send(request.group, request);
    else await answer(request);
  };
  /** Somebody outside asked for what cannot be: told in the run's stream, where the asker looks. */
  const refused = async (request: Request, error: unknown) => {
    await host.record('request.refused', { request: request.id, error: plainError(error) } as unknown as JsonValue);
  };

  const takeRequests = (requests: Requests) => {
    const look = async () => {
      for (const request of await requests.list()) {
        // First the entry, then the letter goes: one that is seen twice has an id that is known.
        if (request.type === 'cancel') await cancel(request.reason);
        else await takeRequest(request).catch((error: unknown) => refused(request, error));
        await requests.remove(request.id);
      }
      if (!isClosed) host.wakeAt(host.clock.now() + 200, () => void look().catch(host.fail));
    };
    void look().catch(host.fail);
  };

  const drive = async (): Promise<RunResult> => {
    if (opened.end !== undefined) return opened.end;
    const asked = opened.entries.find(({ stream, type }) => stream === runStream && type === 'run.cancelled');
    if (asked !== undefined) {
      await cancel((asked.data as { readonly reason: string }).reason);
      return halted;
    }
    if (options.requests !== undefined) takeRequests(options.requests);
    return await Promise.race([finish(host, pass(opened, options)), halted, host.failure]);
  };

  return {
    id: options.run,
    drive() {
      driving ??= drive();
      return driving;
    },
    async stop(reason) {
      await host.stop(reason);
      halt({ status: 'stopped', reason });
    },
    cancel,
    signal,
    send,
    answer,
    async close() {
      isClosed = true;
      await host.close();
    },
  };
}

/**
 * One pass for an outside orchestrator: folds what is recorded, settles what `settlements` brings, runs the process
 * function as far as it gets, performs nothing, and tells what the run waits for. Takes and releases the lease.
 * Codes: those of {@link openRun} and its `drive`, UNKNOWN_GROUP, UNKNOWN_MEMBER.
 */
export async function iterate(
  options: RunOptions & { readonly settlements?: readonly { readonly group: string; readonly member: string; readonly outcome: Outcome }[] },
): Promise<Iteration> {
  const opened = await open(options, false);
  const { host } = opened;
  const work = async (): Promise<Iteration> => {
    if (opened.end !== undefined) return opened.end;
    const current = pass(opened, options);
    await current.settled();
    for (const { group, member, outcome } of options.settlements ?? []) {
      const open = host.group(group);
      if (open === undefined) {
        throw new TroupeError('UNKNOWN_GROUP', `run ${options.run} has no open group \`${group}\`.`);
      }
      await open.settle(member, outcome);
    }
    await current.settled();
    const finished = finish(host, current);
    finished.catch(() => {});
    for (;;) {
      const raced = await Promise.race([finished, current.settled().then(() => undefined)]);
      if (raced !== undefined) return raced;
      const pending = pendingOf(host, current);
      if (pending.length > 0) return { status: 'waiting', pending };
      return await finished;
    }
  };
  try {
    return await Promise.race([work(), host.failure]);
  } finally {
    await host.close();
  }
}

function pendingOf(host: Host, current: Pass): readonly Pending[] {
  const pending: Pending[] = [];
  for (const group of host.groups()) {
    for (const { address, incarnation, input } of group.wants()) {
      pending.push({ type: 'member', group: group.name, member: address, incarnation, invocation: input });
    }
  }
  for (const until of current.sleeping()) pending.push({ type: 'sleep', until });
  const dueAt = host.nextDueAt();
  if (dueAt !== undefined && pending.length === 0) pending.push({ type: 'timer', dueAt });
  return pending;
}
