/** A group of one coordinator in a real run: memory journal, scripted members; killed and resumed if the test says so. */
import { defineProcess, openRun, verifyRun, type Clock, type Coordinator, type RunResult } from '../../src/index.ts';
import { memoryStore } from '../../src/journal/index.ts';
import { hold, scripted, type Script, type ScriptedHarness } from '../../src/harness/index.ts';

/** What a run of one group came to. */
export interface GroupRun<Output> {
  readonly result: RunResult;
  /** The coordinator's output; throws when the run did not complete. */
  readonly output: () => Output;
  /** Members in the order in which they were performed, over all hosts. */
  readonly performed: readonly string[];
  /** Members whose attempt was ended early, in order. */
  readonly cancelled: readonly string[];
  readonly checkpoints: readonly string[];
}

/** How a run goes. */
export interface GroupRunOptions {
  /** How members come out; on the first host too, except those in `heldAtFirst`. */
  readonly script: Script;
  /** Members that the first host does not get to settle; it is killed when all of them are being performed and the rest is written. */
  readonly heldAtFirst?: readonly string[];
  /** A first host, killed when these performances have been asked for and the rest is written; what it says goes before `script`. */
  readonly dies?: {
    readonly script: Script;
    readonly when: readonly { readonly member: string; readonly count: number }[];
  };
  /** Signals, sent when a member is being performed, or when an entry of a type is written. */
  readonly signals?: readonly {
    readonly when: string | { readonly entry: string };
    readonly event: { readonly type: string; readonly [name: string]: string };
  }[];
  /** Timers are due as soon as nothing else happens. Default: they wait for the machine's clock. */
  readonly isHurried?: boolean;
}

/** A clock that jumps to the next alarm whenever nothing else happens. */
function hurriedClock(): Clock {
  let now = 1_000_000;
  const alarms = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  let isLooking = false;
  const look = (idle: number) => {
    if (idle < 5) return void setImmediate(look, idle + 1);
    isLooking = false;
    const next = [...alarms].toSorted((a, b) => a.atMs - b.atMs)[0];
    if (next === undefined) return;
    alarms.delete(next);
    now = Math.max(now, next.atMs);
    next.callback();
    watch();
  };
  const watch = () => {
    if (isLooking || alarms.size === 0) return;
    isLooking = true;
    setImmediate(look, 0);
  };
  return {
    now: () => now,
    wakeAt(atMs, callback) {
      const alarm = { atMs, callback };
      alarms.add(alarm);
      watch();
      return () => void alarms.delete(alarm);
    },
  };
}

/** Runs a group to its end. The journal of the run is replayed afterwards, and every digest in it compared. */
export async function runGroup<Input, Output>(
  machine: Coordinator<Input, Output>,
  input: Input,
  { script, heldAtFirst = [], dies, signals = [], isHurried = false }: GroupRunOptions,
): Promise<GroupRun<Output>> {
  const store = memoryStore();
  const process = defineProcess('test', (ctx) => ctx.group('group', machine, input as never).output);
  const seen = new Set<string>();
  const waiting = new Map<string, () => void>();
  const observer = {
    entry({ type }: { readonly type: string }) {
      seen.add(type);
      waiting.get(type)?.();
    },
  };
  const written = (type: string) =>
    seen.has(type) ? undefined : new Promise<void>((resolve) => waiting.set(type, resolve));
  const clock = isHurried ? { clock: hurriedClock() } : {};
  const open = (harness: ScriptedHarness) =>
    openRun({
      store,
      process,
      run: 'run',
      harnesses: { scripted: harness },
      defaultHarness: 'scripted',
      observer,
      ...clock,
    });
  const performed: string[] = [];

  const death = dies ?? {
    script: Object.fromEntries(heldAtFirst.map((member) => [member, hold])),
    when: heldAtFirst.map((member) => ({ member, count: 1 })),
  };
  if (death.when.length > 0) {
    const harness = scripted({ ...script, ...death.script });
    const run = await open(harness);
    const driving = run.drive().catch(() => undefined);
    await Promise.all(death.when.map((performance) => harness.asked(performance)));
    for (let idle = 0; idle < 10; idle += 1) await new Promise((resolve) => setImmediate(resolve));
    store.abandon('run');
    performed.push(...harness.calls.map(({ member }) => member));
    const second = scripted(script);
    const resumed = await open(second);
    const result = await resumed.drive();
    performed.push(...second.calls.map(({ member }) => member));
    await resumed.close();
    await run.stop('killed').catch(() => {});
    await run.close().catch(() => {});
    await driving;
    return report(result);
  }

  const harness = scripted(script);
  const run = await open(harness);
  const driving = run.drive();
  for (const [index, { when, event }] of signals.entries()) {
    await (typeof when === 'string' ? harness.asked({ member: when, count: 1 }) : written(when.entry));
    await run.signal('group', event, { id: `signal-${index}` });
  }
  const result = await driving;
  performed.push(...harness.calls.map(({ member }) => member));
  await run.close();
  return report(result);

  async function report(result: RunResult): Promise<GroupRun<Output>> {
    const journal = await store.open('run');
    const cancelled: string[] = [];
    const checkpoints: string[] = [];
    for await (const entries of journal.read()) {
      for (const { type, data } of entries) {
        const told = data as { readonly member?: string; readonly name?: string; readonly again?: boolean };
        if (type === 'attempt.cancelled' && told.again !== true) cancelled.push(told.member as string);
        if (type === 'checkpoint') checkpoints.push(told.name as string);
      }
    }
    await journal.close();
    await verifyRun({ store, run: 'run', process });
    return {
      result,
      output() {
        if (result.status !== 'completed') throw new Error(`the run has ${result.status}: ${JSON.stringify(result)}`);
        return result.output as Output;
      },
      performed,
      cancelled,
      checkpoints,
    };
  }
}
