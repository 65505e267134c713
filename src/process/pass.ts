/**
 * One pass of the process function over what is recorded and what comes: an iteration. Its context turns names
 * into groups, tasks and sleeps; nothing depends on the order of calls, on what is pending, or on what is caught.
 */
import type { AnyStateMachine } from 'xstate';
import { momentMs } from '../clock.ts';
import { TroupeError } from '../error.ts';
import { hasHalfCharacter } from '../group/address.ts';
import { boundsOf } from '../group/bounds.ts';
import { define, type Definition } from '../group/definition.ts';
import type { Group } from '../group/group.ts';
import { runStream, type Host } from '../group/host.ts';
import { refuseQuestion } from '../group/legible.ts';
import { canonical, toJson, type JsonValue } from '../json.ts';
import type { Entry } from '../journal/port.ts';
import { checkOptions } from './check-config.ts';
import type { Context, OpenOptions } from './context.ts';
import { deliveries, gateKey, sleepKey, type Deliveries } from './deliveries.ts';
import { handles } from './group-handle.ts';
import { parallel } from './parallel.ts';
import { refusals } from './refusals.ts';
import { strategiesOf, type Scope } from './strategies.ts';
import { taskMachine } from './task-machine.ts';

/** How the function ended, if it has. */
export type PassOutcome =
  | { readonly status: 'returned'; readonly value: unknown }
  | { readonly status: 'threw'; readonly error: unknown };

/** A pass under way. */
export interface Pass {
  readonly deliveries: Deliveries;
  /** Resolves when the function has returned or thrown. */
  readonly outcome: Promise<PassOutcome>;
  /** The same, as of now; undefined while the function runs. */
  over(): PassOutcome | undefined;
  /** Resolves when the function next opens a group, sleeps, asks at a gate, or ends: what it waits for besides is its own affair. */
  stirred(): Promise<void>;
  /** Names of the groups the function has opened. */
  opened(): ReadonlySet<string>;
  /** Versions of the process function that have driven the run, without repetitions in a row; the last one is this one. */
  versions(): readonly string[];
  /** Names of the groups that nobody waits for when the function has returned. */
  unwanted(): ReadonlySet<string>;
  /** Resolves when nothing can go on without the world: everything delivered, taken in, and written. */
  settled(): Promise<void>;
  /** Instants the function sleeps for. */
  sleeping(): Iterable<number>;
}

const definitions = new WeakMap<AnyStateMachine, Definition>();

/** Compiles a machine once per process. */
function definitionOf(machine: AnyStateMachine): Definition {
  let definition = definitions.get(machine);
  if (definition === undefined) {
    definition = define(machine);
    definitions.set(machine, definition);
  }
  return definition;
}

/** Starts a pass. Errors that are the author's to mend stop the host (`host.fail`): the run is not ended by them. */
export function startPass(host: Host, run: string, recorded: readonly Entry[], body: (ctx: Context) => unknown): Pass {
  const opened = new Map<string, Promise<Group>>();
  const inbox = deliveries((group) => opened.get(group)?.catch(() => {}), host.fail);
  const sleeping = new Set<number>();
  const unwanted = new Set<string>();
  const logged = new Map<string, number>();
  const underWay = new Set<Promise<unknown>>();
  let over: PassOutcome | undefined;
  let stirWaiters: (() => void)[] = [];
  const stir = () => {
    const waiters = stirWaiters;
    stirWaiters = [];
    for (const waiter of waiters) waiter();
  };
  const recordedSleeps = new Set<number>();
  const recordedLogs = new Set<string>();
  const openedGates = new Set<string>();
  const versions: string[] = [];
  for (const entry of recorded) {
    const { stream, type } = entry;
    // Only now is the data looked at: that of most entries is not wanted here.
    if (type === 'gate.opened' && stream === runStream) openedGates.add((entry.data as { readonly name: string }).name);
    if (type === 'epoch.taken') {
      const version = (entry.data as Readonly<Record<string, JsonValue>>)['process'];
      if (typeof version === 'string' && version !== versions.at(-1)) versions.push(version);
    }
    if (type === 'sleep.ended') recordedSleeps.add((entry.data as { readonly until: number }).until);
    if (type === 'log') recordedLogs.add((entry.data as { readonly id: string }).id);
  }

  /** The author's mistake: it stops the host, and stays visible even where the process catches it. */
  const mistake = (error: unknown): never => {
    host.fail(error);
    throw error;
  };
  /** What `check` gives; what it throws is the author's mistake. */
  const checked = <Value>(check: () => Value): Value => {
    try {
      return check();
    } catch (error) {
      return mistake(error);
    }
  };
  /** A promise that the author may leave alone: its rejection is recorded in the journal, and ends no Node process. */
  const handled = <Value>(promise: Promise<Value>): Promise<Value> => {
    promise.catch(() => {});
    return promise;
  };
  const track = <Value>(promise: Promise<Value>): Promise<Value> => {
    const tracked = promise.catch(() => {}).finally(() => underWay.delete(tracked));
    underWay.add(tracked);
    return promise;
  };

  const open = (name: string, machine: AnyStateMachine, input: unknown, options: OpenOptions): Promise<Group> => {
    if (typeof name !== 'string' || name === '' || name.length > 200 || hasHalfCharacter(name)) {
      return mistake(
        new TroupeError(
          'BAD_INPUT',
          `expected the name of a group to be a text of 1 to 200 whole characters, got ${JSON.stringify(name)}.`,
        ),
      );
    }
    if (opened.has(name)) {
      const known = host.group(name)?.ledger;
      const which = known === undefined ? '' : ` (machine ${known.machine.id}, created at entry 1 of group:${name})`;
      return mistake(
        new TroupeError(
          'DUPLICATE_NAME',
          `run ${run} already has a group \`${name}\`${which}. Names are identities: give the second another name, or reuse the handle.`,
        ),
      );
    }
    checked(() => checkOptions(name, options));
    const { concurrency = 256, budget } = options;
    const bounds = checked(() => boundsOf(name, options.bounds));
    const definition = checked(() => definitionOf(machine));
    const given = checked(() => toJson(input ?? null, `input of group \`${name}\``));
    const opening = track(
      host.open({
        name,
        definition,
        input: given,
        concurrency: Math.floor(concurrency),
        bounds,
        budget,
      }),
    );
    opened.set(name, opening);
    if (options.onReturn === 'cancel') {
      unwanted.add(name);
      // By a branch that goes on: what was open when the function returned has been cancelled.
      if (over?.status === 'returned')
        void track(opening.then((group) => group.cancel('the process has returned'))).catch(() => {});
    }
    stir();
    opening.catch((error: unknown) => host.fail(error));
    return opening;
  };

  const refusable = refusals({ inbox, recordedLogs, note: (data) => track(host.record('log', data)) });
  const { outputOf, handleOf } = handles({ inbox, refusable, mistake, handled, track });

  const sleepUntil = async (moment: Date | number | string): Promise<void> => {
    const until = momentMs(moment);
    // As far as a Date goes.
    if (!(Math.abs(until) <= 8.64e15)) {
      mistake(
        new TroupeError(
          'BAD_INPUT',
          `sleepUntil: expected a time (ms since 1970, Date or ISO text), got \`${String(moment)}\`.`,
        ),
      );
    }
    const key = sleepKey(until);
    if (inbox.delivered(key) === undefined && !recordedSleeps.has(until) && !sleeping.has(until)) {
      sleeping.add(until);
      stir();
      host.wakeAt(until, () => {
        sleeping.delete(until);
        void track(host.record('sleep.ended', { until })).catch(() => {});
      });
    }
    await inbox.wait(key);
  };

  const breakpoint: Context['breakpoint'] = async (name, asked) => {
    checked(() =>
      refuseQuestion({ ...(asked as typeof asked | undefined), name }, 'ctx.breakpoint(name, { question })'),
    );
    const { question, data } = asked;
    if (!openedGates.has(name)) {
      const extra = data === undefined ? {} : { data: toJson(data, `data of gate \`${name}\``) };
      openedGates.add(name);
      void track(host.record('gate.opened', { name, question, ...extra })).catch(() => {});
    }
    stir();
    const answer = (await inbox.wait(gateKey(runStream, name))).data as {
      readonly approved: boolean;
      readonly note: string;
    };
    return { approved: answer.approved, note: answer.note };
  };

  /** A context for one branch of a strategy: it remembers what was opened through it, and through the branches of strategies in it. */
  function scopeIn(outer: Context): Scope {
    const own = new Set<string>();
    let lost: string | undefined;
    const opens = <Result>(name: string, go: () => Result): Result => {
      if (lost !== undefined) throw new TroupeError('CANCELLED', `\`${name}\` was not opened: its branch ${lost}.`);
      own.add(name);
      return go();
    };
    const branch: Context = {
      ...outer,
      group: (name, machine, input, options) => opens(name, () => outer.group(name, machine, input, options)),
      task: (name, invocation) => opens(name, () => outer.task(name, invocation)),
      background: (name, invocation, options) => opens(name, () => outer.background(name, invocation, options)),
      parallel: { ...parallel, ...strategiesOf(() => scopeIn(branch)) },
    };
    return {
      ctx: branch,
      cancel(reason) {
        lost = reason;
        for (const name of own)
          void track(Promise.resolve(opened.get(name)).then((group) => group?.cancel(reason))).catch(() => {});
      },
    };
  }

  const ctx: Context = {
    run,
    group: (name, machine, input, options = {}) => handleOf(name, open(name, machine, input, options)),
    task(name, invocation) {
      void open(name, taskMachine, invocation, {});
      return handled(outputOf(name));
    },
    background: (name, invocation, options = {}) => handleOf(name, open(name, taskMachine, invocation, options)),
    breakpoint: (name, question) => handled(breakpoint(name, question)),
    parallel: { ...parallel, ...strategiesOf(() => scopeIn(ctx)) },
    sleepUntil: (moment) => handled(sleepUntil(moment)),
    now: () => inbox.now(),
    log(message, data) {
      // Copies: the author may go on changing what was logged before it is written.
      const said = toJson(message, 'ctx.log message');
      const more = data === undefined ? {} : { data: toJson(data, 'ctx.log data') };
      const text = canonical([said, more.data ?? null]);
      const count = (logged.get(text) ?? 0) + 1;
      logged.set(text, count);
      const id = count === 1 ? text : `${text}#${count}`;
      if (recordedLogs.has(id)) return;
      void track(host.record('log', { id, message: said, ...more })).catch(() => {});
    },
  };

  recorded.forEach((entry, index) => {
    const stretch = host.stretches.get(index);
    if (stretch !== undefined) inbox.offer(stretch);
    inbox.offer(entry);
  });
  const last = host.stretches.get(recorded.length);
  if (last !== undefined) inbox.offer(last);
  const outcome = inbox.wait('run.created').then(async (): Promise<PassOutcome> => {
    try {
      over = { status: 'returned', value: await body(ctx) };
    } catch (error) {
      over = { status: 'threw', error };
    }
    stir();
    return over;
  });

  return {
    deliveries: inbox,
    outcome,
    over: () => over,
    stirred: () => new Promise((resolve) => stirWaiters.push(resolve)),
    opened: () => new Set(opened.keys()),
    unwanted: () => unwanted,
    versions: () => versions,
    async settled() {
      for (;;) {
        await inbox.quiet();
        const now = host.clock.now();
        if (underWay.size > 0) await Promise.race(underWay);
        else if ((host.nextDueAt() ?? Number.POSITIVE_INFINITY) <= now)
          await new Promise<void>((resolve) => void host.wakeAt(now, resolve));
        else if (inbox.isQuiet()) return;
      }
    },
    sleeping: () => sleeping,
  };
}
