import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createInterface, type Interface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isTroupeError } from '../../src/error.ts';
import { fileStore, type Journal, type Lease } from '../../src/journal/index.ts';
import { testProgram } from '../support/programs.ts';
import { errorOf, event, readAll } from './support.ts';

interface Host {
  readonly child: ChildProcess;
  /** Lines said so far. */
  readonly lines: string[];
  /** Resolves when a line that begins so has been said; rejects when the process ends without. */
  said(start: string): Promise<string>;
}

let dir = '';
const hosts: Host[] = [];

function host(args: readonly string[], nodeArgs: readonly string[] = []): Host {
  const child = spawn(process.execPath, [...nodeArgs, testProgram('holder'), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const output: Interface = createInterface({ input: child.stdout });
  output.on('line', (line) => lines.push(line));
  const one: Host = {
    child,
    lines,
    said: (start) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const line = lines.find((other) => other.startsWith(start));
          if (line === undefined) return;
          output.off('line', look);
          resolve(line);
        };
        output.on('line', look);
        output.once('close', () =>
          reject(new Error(`it ended without saying ${start}: ${lines.slice(-3).join('; ')}`)),
        );
        look();
      }),
  };
  hosts.push(one);
  return one;
}

/** Asks for the run until nobody living holds it. */
async function leaseSoon(journal: Journal): Promise<Lease> {
  for (;;) {
    try {
      return await journal.lease();
    } catch (error) {
      if (!isTroupeError(error, 'RUN_BUSY')) throw error;
    }
  }
}

const lastAck = (lines: readonly string[]): number =>
  Number(lines.findLast((line) => line.startsWith('ack'))?.slice(4) ?? 0);

beforeEach(async () => {
  dir = await mkdtemp(`${tmpdir()}/troupe-journal-`);
  await (await fileStore({ dir }).open('r', { create: true })).close();
});

afterEach(async () => {
  for (const { child } of hosts.splice(0)) child.kill('SIGKILL');
  await rm(dir, { recursive: true, force: true });
});

describe('real processes', () => {
  test('of two that race for one run exactly one writes; the other is told who holds it', async () => {
    const racers = [host(['race', dir]), host(['race', dir])];
    await Promise.all(racers.map((racer) => racer.said('ready')));
    for (const { child } of racers) child.stdin?.write('go\n');
    const answers = await Promise.all(racers.map((racer) => Promise.race([racer.said('won'), racer.said('RUN_BUSY')])));
    const winner = racers[answers[0]?.startsWith('won') === true ? 0 : 1];
    expect(answers.toSorted()).toEqual([expect.stringContaining(`held by process ${winner?.child.pid} on `), 'won 1']);
    const entries = await readAll(await fileStore({ dir }).open('r'));
    expect(entries.map((entry) => entry.data)).toEqual([winner?.child.pid]);
  });

  test('a holder killed with SIGKILL is taken over in less than a second, with everything it acknowledged', async ({
    annotate,
  }) => {
    const holder = host(['hold', dir]);
    await holder.said('ack 20');
    const journal = await fileStore({ dir }).open('r');
    expect((await errorOf(journal.lease())).details['pid']).toBe(holder.child.pid);
    holder.child.kill('SIGKILL');
    const startedMs = performance.now();
    const lease = await leaseSoon(journal);
    const tookMs = performance.now() - startedMs;
    await annotate(`taken over after ${tookMs.toFixed(1)} ms`);
    expect(tookMs).toBeLessThan(1000);
    expect(lease).toMatchObject({ epoch: 2, takenFrom: { pid: holder.child.pid } });
    const entries = await readAll(journal);
    // One more may have been durable when the kill came between its flush and its answer.
    expect(entries.length - lastAck(holder.lines)).toBeGreaterThanOrEqual(0);
    expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => index + 1));
    await journal.append('run', entries.length, lease.epoch, [event('next')]);
    await journal.close();
  });

  test('a holder on another machine that was stopped and given up gets EPOCH_STALE, and what it wrote late is not read', async () => {
    const holder = host(['hold', dir, 'another-machine', '300']);
    await holder.said('ack 20');
    holder.child.kill('SIGSTOP');
    // By the usual term it is not given up yet.
    expect((await errorOf((await fileStore({ dir }).open('r')).lease())).message).toContain('on another-machine');
    const journal = await fileStore({ dir, leaseTtlMs: 300 }).open('r');
    const lease = await leaseSoon(journal);
    const before = await readAll(journal);
    holder.child.kill('SIGCONT');
    await holder.said('EPOCH_STALE');
    expect(lastAck(holder.lines)).toBeLessThanOrEqual(before.length);
    await journal.append('run', before.length, lease.epoch, [event('next')]);
    const after = await readAll(journal);
    expect(after.slice(0, -1)).toEqual(before);
    expect(after.at(-1)?.type).toBe('next');
    await journal.close();
    expect(await readAll(await fileStore({ dir }).open('r'))).toEqual(after);
  });

  test('200,000 entries are read in a heap of 64 MB, in batches', async () => {
    const journal = await fileStore({ dir }).open('r');
    const { epoch } = await journal.lease();
    const text = 'x'.repeat(150);
    await Promise.all(
      Array.from({ length: 200 }, (_, block) =>
        journal.append(
          'run',
          block * 1000,
          epoch,
          Array.from({ length: 1000 }, (_, index) => event('n', { n: block * 1000 + index, text })),
        ),
      ),
    );
    await journal.close();
    const reader = host(['read', dir], ['--max-old-space-size=64']);
    const [, count, largest] = (await reader.said('entries')).split(' ');
    expect(Number(count)).toBe(200_000);
    expect(Number(largest)).toBeLessThan(10_000);
  });

  test('a run whose folder is removed while it is written to fails with JOURNAL_IO, and can be created anew', async () => {
    const store = fileStore({ dir });
    const journal = await store.open('r');
    const { epoch } = await journal.lease();
    await journal.append('run', 0, epoch, [event('a')]);
    await rm(`${dir}/runs/r`, { recursive: true });
    const error = await errorOf(journal.append('run', 1, epoch, [event('b')]));
    expect([error.code, error.details['errno'], error.details['mayBeOnDisk']]).toEqual(['JOURNAL_IO', 'ENOENT', false]);
    expect(await errorOf(journal.append('run', 1, epoch, [event('b')]))).toBe(error);
    await journal.close();
    expect((await errorOf(store.open('r'))).code).toBe('RUN_UNKNOWN');
    expect(await readAll(await store.open('r', { create: true }))).toEqual([]);
  });

  test('side files have a place, and no way out of it', async () => {
    const journal = await fileStore({ dir }).open('r');
    expect(await journal.sideFile('checks/lint.1.log')).toBe(`${dir}/runs/r/files/checks/lint.1.log`);
    expect(await journal.sideFile('a b/ü:.log')).toBe(`${dir}/runs/r/files/a%20b/%c3%bc%3a.log`);
    for (const bad of ['../x', '/x', 'a//b', '', '.', 'a/..'])
      expect((await errorOf(journal.sideFile(bad))).code).toBe('BAD_INPUT');
  });
});
