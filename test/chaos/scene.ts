/** One disturbed run: its folder, its hosts, and everything that must hold after each disturbance and at the end. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { canonical, type Entry, type JournalStore, type JsonValue, type RunEnd } from '../../src/index.ts';
import { sumOf, type HostOrders, type Said } from './account.ts';
import { startHost, type HostProcess } from './host-process.ts';
import { endAllOf, livingOf } from './living.ts';
import type { Program } from './program.ts';

/** A run under attack. */
export interface Scene {
  readonly run: string;
  /** Holds everything of this run: `data`, `says.jsonl`, `side`. */
  readonly folder: string;
  /** The data folder. */
  readonly dir: string;
  readonly store: JournalStore;
  /** A file that the members' work may look for as `$0.second`. */
  readonly flag: string;
  start(orders?: Partial<HostOrders>, wrap?: readonly string[]): HostProcess;
  /** What hosts have said so far. */
  said(): readonly Said[];
  /** The error that the last host ended with. */
  error(): Extract<Said, { type: 'error' }>;
  /** Resolves when that many entries have been acknowledged, or the host has ended. */
  acknowledged(count: number, host: HostProcess): Promise<void>;
  /** Checks, and that the run ended as this one. */
  checkSame(normal: { readonly end: string }): Promise<void>;
  /** Bytes of the log. */
  logBytes(): number;
  /** Number of the newest epoch that was taken; 0 before the first. */
  epoch(): number;
  /** With no host alive: nothing acknowledged is lost or changed, what was read is a prefix, verify passes. Returns all entries. */
  check(): Promise<readonly Entry[]>;
  /** After the run has ended. Returns its end. */
  checkEnd(): Promise<RunEnd>;
  /** Ends what is left and removes the folder. */
  remove(): void;
}

/** What makes a scene. */
export interface SceneOptions {
  readonly program: Program;
  readonly folder: string;
  readonly run: string;
  readonly orders?: Partial<HostOrders>;
  /** Shell line that members run instead of their own. */
  readonly work?: string;
  /** The data folder, if it is not in `folder`. */
  readonly dir?: string;
}

/** Sets a scene. */
export function sceneOf({
  program,
  folder,
  run,
  orders: common = {},
  work,
  dir = join(folder, 'data'),
}: SceneOptions): Scene {
  const says = join(folder, 'says.jsonl');
  const side = join(folder, 'side');
  mkdirSync(folder, { recursive: true });
  const store = program.journals.fileStore({ dir });
  let before: readonly number[] = [];

  const said = (): readonly Said[] =>
    existsSync(says)
      ? readFileSync(says, 'utf8')
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Said)
      : [];

  const read = async (): Promise<readonly Entry[]> => {
    if (!(await store.list()).includes(run)) return [];
    const journal = await store.open(run);
    const entries: Entry[] = [];
    for await (const batch of journal.read()) entries.push(...batch);
    await journal.close();
    return entries;
  };

  const check = async (): Promise<readonly Entry[]> => {
    const entries = await read();
    const sums = entries.map(sumOf);
    assert.deepEqual(sums.slice(0, before.length), before, 'what was read before is no prefix of what is read now');
    before = sums;
    const byPlace = new Map(entries.map((entry, index) => [`${entry.stream}:${entry.seq}`, sums[index]]));
    for (const line of said()) {
      if (line.type === 'acknowledged') {
        assert.equal(
          byPlace.get(`${line.stream}:${line.seq}`),
          line.sum,
          `${line.stream}:${line.seq} was acknowledged, and is lost or changed`,
        );
      }
      assert.ok(line.type !== 'alive', `an earlier attempt was alive: ${JSON.stringify(line)}`);
    }
    let epoch = 0;
    for (const entry of entries) {
      assert.ok(entry.epoch >= epoch, 'epochs go back');
      epoch = entry.epoch;
    }
    if (entries.length > 0) {
      const proven = await program.troupe.verifyRun({ store, run, process: program.job.chaosProcess });
      assert.equal(proven.entries, entries.length);
    }
    return entries;
  };

  const checkEnd = async (): Promise<RunEnd> => {
    const entries = await check();
    assert.deepEqual(livingOf(`${run}/`), [], 'processes outlive the run');
    const settled: string[] = [];
    const checkpoints: string[] = [];
    const attempts = new Map<string, number>();
    for (const { stream, type, data } of entries) {
      const group = stream.slice('group:'.length);
      const facts = data as { readonly member?: string; readonly attempt?: number; readonly name?: string };
      if (type === 'member.settled') settled.push(`${group}/${facts.member}`);
      if (type === 'checkpoint') checkpoints.push(`${group}/${facts.name}`);
      if (type === 'attempt.started')
        attempts.set(`${run}/${group}/${facts.member}#1/${facts.attempt}`, entries.length);
    }
    assert.deepEqual(settled.toSorted(), program.job.settledOnce, 'each invocation is settled once');
    assert.deepEqual(
      checkpoints,
      [1, 2, 3, 4, 5, 6].map((number) => `build/checkpoint ${number}`),
      'checkpoints',
    );

    // The side file: no attempt was performed twice or without a record.
    const starts = new Set<string>();
    for (const line of existsSync(side) ? readFileSync(side, 'utf8').split('\n').slice(0, -1) : []) {
      const [, key = '', what] = line.split(' ');
      if (what !== 'start') continue;
      assert.ok(!starts.has(key), `attempt ${key} was performed twice`);
      assert.ok(attempts.has(key), `attempt ${key} was performed, and its start is not recorded`);
      starts.add(key);
    }

    const journal = await store.open(run);
    const view = await program.troupe.readRun(journal);
    await journal.close();
    assert.equal(view.entries, entries.length);
    assert.deepEqual([...view.groups.keys()].toSorted(), ['build', 'endless', 'prepare', 'watch']);
    for (const { name, status, members, deadLetters } of view.groups.values()) {
      assert.equal(status, name === 'endless' ? 'cancelled' : 'completed', `group ${name}`);
      assert.equal(deadLetters, 0, `dead letters of ${name}`);
      for (const { id, status: stands } of members.values())
        assert.ok(
          name === 'endless' ? stands === 'cancelled' : stands === 'completed' || stands === 'failed',
          `${name}/${id} is ${stands}`,
        );
    }
    const ends = entries.filter(({ type }) => type === 'run.ended');
    assert.equal(ends.length, 1, 'the run ends once');
    assert.deepEqual(view.end, ends[0]?.data);
    assert.equal(entries.at(-1)?.type, 'run.ended');
    return view.end as RunEnd;
  };

  const inRun = (name: string) => join(dir, 'runs', run, name);
  const names = (path: string) => (existsSync(path) ? readdirSync(path) : []);
  return {
    run,
    folder,
    dir,
    store,
    flag: `${side}.second`,
    start(orders = {}, wrap = []) {
      const all: HostOrders = {
        dir,
        run,
        says,
        input: work === undefined ? { side } : { side, work },
        snapshotEvery: 4,
        segmentBytesMax: 2 ** 26,
        ...common,
        ...orders,
      };
      return startHost(program, all, wrap);
    },
    said,
    error() {
      const last = said().at(-1);
      assert.ok(last?.type === 'error', `expected the host to end with an error, it said ${JSON.stringify(last)}`);
      return last;
    },
    async acknowledged(count, host) {
      const isEnough = () => said().filter(({ type }) => type === 'acknowledged').length >= count;
      while (host.isAlive() && !isEnough()) await delay(2);
    },
    async checkSame({ end }) {
      assert.equal(
        canonical((await checkEnd()) as unknown as JsonValue),
        end,
        'the end differs from the undisturbed one',
      );
    },
    logBytes: () =>
      names(inRun('.'))
        .filter((name) => name.startsWith('journal') && name.endsWith('.jsonl'))
        .reduce((bytes, name) => bytes + statSync(inRun(name)).size, 0),
    epoch: () => Math.max(0, ...names(inRun('lease')).map((name) => Number(/^(\d+)\./.exec(name)?.[1] ?? 0))),
    check,
    checkEnd,
    remove() {
      endAllOf(`${run}/`);
      for (const path of [folder, dir]) rmSync(path, { recursive: true, force: true });
    },
  };
}
