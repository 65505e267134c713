/**
 * A random play: groups whose members succeed, fail, stall, talk, die and come late; messages, duplicates, approvals, stops and cancels
 * from outside; hosts that are killed at any call of the file system, with a power cut after where the disk allows that. The file journal, on a disk
 * in memory or a real one; a clock that jumps.
 */
import assert from 'node:assert/strict';
import {
  defineProcess,
  isTroupeError,
  openRun,
  readRun,
  verifyRun,
  type Entry,
  type JsonValue,
  type Run,
  type RunResult,
  type RunView,
} from 'troupe';
import { faultyFileSystem, fileStore, type FaultyFileSystem, type Processes } from '../../src/journal/index.ts';
import { waitsFor } from '../../src/cli/waits-for.ts';
import { randomOf } from '../../src/check/simulation/random.ts';
import { virtualClock } from '../../src/check/simulation/virtual-clock.ts';
import { memoryDisk, type PlayDisk } from './play-disk.ts';
import { nextParley, parley, type Parley, type ParleyOutput } from './parley.ts';
import { account, type Happened } from './random-play-account.ts';
import { harnessOf, letterTo, type PlayStage } from './random-play-harness.ts';
import { groupsOf, invocationOf, names } from './random-parts.ts';

/** How a play went: for counts that show that it was no empty one. */
export interface Played extends Happened {
  readonly hosts: number;
  readonly killed: number;
  readonly end: string;
  /** Groups that were taken over by another version of their machine. */
  readonly migrated: number;
  /** It had to be helped: what it waited for. */
  readonly waited: readonly string[];
}

/** Where and how it is played. */
export interface PlayOptions {
  /** Default: a disk in memory. */
  readonly on?: PlayDisk;
  /** Hosts that follow have another version of the machine, which takes the groups over. Default false. */
  readonly changes?: boolean;
}

const run = 'play';

/** Shows the journal of a play that is played again. */
function tell(entries: readonly Entry[]): void {
  if (globalThis.process.env['TROUPE_PLAY'] === undefined) return;
  for (const { stream, seq, at, epoch, type, data } of entries)
    globalThis.process.stderr.write(
      `${epoch} ${at % 100_000} ${stream} ${seq} ${type} ${JSON.stringify(data).slice(0, 300)}\n`,
    );
}

/** Plays what `seed` says. Throws when a promise is broken. */
export async function play(seed: string, { on = memoryDisk(), changes = false }: PlayOptions = {}): Promise<Played> {
  const random = randomOf(seed);
  const groups = groupsOf(random);
  const processWith = (machine: Parley) =>
    defineProcess('play', async (ctx) => {
      const handles = groups.map(({ name, input, concurrency }) => ctx.group(name, machine, input, { concurrency }));
      const outputs: (ParleyOutput | string)[] = [];
      for (const { output } of handles)
        outputs.push(await output.catch((error: unknown) => (isTroupeError(error) ? error.code : String(error))));
      return outputs as unknown as JsonValue;
    });
  const versions: Parley[] = [parley];
  let process = processWith(parley);
  /** Whoever drives next has other code. */
  const change = () => {
    if (!changes || random.below(3) === 0) return;
    const machine = nextParley(versions, random.pick(['events', 'state']));
    versions.push(machine);
    process = processWith(machine);
  };

  const disk = on.fs;
  const clock = virtualClock();
  const alive = new Set<number>();
  const processesOf = (own: number): Processes => ({
    self: () => ({ host: 'here', pid: own, bootId: 'boot', pidNamespace: 'pids', startedAt: `${own}` }),
    liveness: (of) => (alive.has(of.pid) ? 'alive' : 'dead'),
  });
  const storeOf = (fs: typeof disk | FaultyFileSystem, own: number) =>
    fileStore({
      dir: on.dir,
      clock,
      fs,
      processes: processesOf(own),
      segmentBytesMax: 6_000,
      blockBelowMs: random.pick([0, Number.POSITIVE_INFINITY]),
    });

  /** Entries that a living host was told are durable, and letters whose sender was told so. */
  const acknowledged = new Map<string, string>();
  const posted = new Set<string>();
  /** What attempts read: by key of the attempt and host, the bodies in order. */
  const reads = new Map<string, string[]>();
  const troubles: string[] = [];
  let pid = 100;
  let killed = 0;
  let letters = 0;

  const stage: PlayStage = { clock, random, reads, posted, troubles };

  /** Something that happens from outside. */
  const happening = (opened: Run, fs: FaultyFileSystem): (() => Promise<void>) => {
    const { name } = random.pick(groups);
    const to = random.pick([...names, 'coordinator', '*']);
    const who = random.pick(names);
    const id = `out:${(letters += 1)}`;
    const approved = random.below(3) > 0;
    const invocation = invocationOf(random);
    const send = async () => {
      await opened.send(name, letterTo(to, id));
      if (!fs.crashed() && to !== '*') posted.add(JSON.stringify([name, to, id]));
    };
    const twice = async () => void (await Promise.all([send(), send()]));
    const answer = () => opened.answer({ group: name, gate: 'over', approved, note: '' });
    return random.pick<() => Promise<void>>([
      send,
      twice,
      twice,
      answer,
      async () => void (await Promise.all([answer(), answer().catch(() => {})])),
      () => opened.signal(name, { type: 'stop', id: who } as { type: string }, { id }),
      () => opened.signal(name, { type: 'spawn', id: who, invocation } as { type: string }, { id }),
      () => (random.below(6) === 0 ? opened.cancel('enough') : Promise.resolve()),
    ]);
  };

  /** One host: drives until the run ends, it is killed, or nothing but the world can go on. `helps` is called then, once. */
  const host = async (options: {
    readonly crashAt?: number;
    readonly happenings: number;
    helps?(opened: Run): Promise<void>;
  }): Promise<RunResult | 'killed' | 'waits'> => {
    pid += 1;
    const own = pid;
    alive.clear();
    alive.add(own);
    const when = random.pick(['before', 'after'] as const);
    const fs = faultyFileSystem(
      disk,
      options.crashAt === undefined ? undefined : { type: 'crash', call: options.crashAt, when },
    );
    let result: RunResult | undefined;
    let failure: unknown;
    let isOver = false;
    let opened: Run | undefined;
    /** Of the clock, since the last entry. */
    let jumps = 0;
    const live = async () => {
      try {
        opened = await openRun({
          store: storeOf(fs, own),
          process,
          run,
          harnesses: { part: harnessOf(stage, fs, own) },
          clock,
          snapshotEvery: 7,
          observer: {
            entry(entry) {
              jumps = 0;
              if (!fs.crashed()) acknowledged.set(`${entry.stream}:${entry.seq}`, JSON.stringify(entry.data));
            },
          },
        });
        const drive = opened.drive();
        for (let index = 0; index < options.happenings; index += 1) {
          const happens = happening(opened, fs);
          clock.wakeAt(clock.now() + random.below(150), () => {
            happens().catch((error: unknown) => {
              if (!isTroupeError(error) && !fs.crashed()) troubles.push(String(error));
            });
          });
        }
        result = await drive;
      } catch (error) {
        failure = error;
      }
      await opened?.close().catch(() => {});
      isOver = true;
    };
    void live();
    let isHelped = false;
    for (let calls = 0, quiet = 0; !isOver && !fs.crashed();) {
      await new Promise(setImmediate);
      quiet = fs.calls().length === calls && on.busy() === 0 ? quiet + 1 : 0;
      calls = fs.calls().length;
      if (quiet < 12) continue;
      quiet = 0;
      jumps += 1;
      // The lease's sign of life goes on for ever.
      if (jumps < 60 && clock.jump()) continue;
      jumps = 0;
      if (isHelped || options.helps === undefined || opened === undefined) break;
      isHelped = true;
      void options.helps(opened).catch((error: unknown) => troubles.push(`help: ${String(error)}`));
    }
    alive.clear();
    if (fs.crashed()) {
      killed += 1;
      // What was under way when it died comes to its end without it.
      while (on.busy() > 0) await new Promise(setImmediate);
      on.powerCut(random);
      return 'killed';
    }
    if (failure !== undefined) throw failure as Error;
    if (isOver) return result ?? 'waits';
    void opened?.close().catch(() => {});
    for (let turn = 0; turn < 60 || on.busy() > 0; turn += 1) await new Promise(setImmediate);
    return 'waits';
  };

  const entriesNow = async (): Promise<{ readonly entries: readonly Entry[]; readonly view: RunView }> => {
    const journal = await storeOf(disk, 1).open(run);
    const entries: Entry[] = [];
    for await (const batch of journal.read()) entries.push(...batch);
    const view = await readRun(journal);
    await journal.close();
    return { entries, view };
  };

  let hosts = 0;
  let result: RunResult | 'killed' | 'waits' = 'killed';
  for (const lives = 1 + random.below(4); hosts < lives && result === 'killed';) {
    if (hosts > 0) change();
    hosts += 1;
    result = await host({ crashAt: 5 + random.below(120), happenings: random.below(6) });
  }
  if (result === 'killed') {
    change();
    hosts += 1;
    result = await host({ happenings: random.below(4) });
  }
  const waited: string[] = [];
  if (result === 'waits') {
    // What it waits for is named, and is what the play is about: a gate, or a member that stalls.
    const { entries, view } = await entriesNow();
    tell(entries);
    for (const one of waitsFor(view)) {
      waited.push(one.type);
      if (one.type === 'gate') continue;
      assert.equal(one.type, 'member', `it waits for ${JSON.stringify(one)}, which names nothing`);
      // Its host has just stopped in order: what was under way counts as interrupted.
      assert.ok(
        one.type === 'member' && ['interrupted', 'queued'].includes(one.status),
        `${JSON.stringify(one)} is waited for`,
      );
    }
    assert.ok(waited.length > 0, 'it waits for nothing that is named');
    change();
    hosts += 1;
    result = await host({ happenings: 0, helps: (opened) => opened.cancel('helped') });
  }
  assert.ok(typeof result === 'object', `it should have ended, and ${JSON.stringify(result)}`);

  const { entries, view } = await entriesNow();
  tell(entries);
  const { groups: checks } = await verifyRun({ store: storeOf(disk, 1), run, process });
  for (const { name, booked } of checks) assert.equal(booked, 0, `${name}: every version is at hand`);
  assert.deepEqual(troubles, []);
  const migrated = entries.filter(({ type }) => type === 'group.migrated').length;
  return {
    ...account(entries, view, { run, acknowledged, posted, reads }),
    hosts,
    killed,
    end: result.status,
    waited,
    migrated,
  };
}
