/** What becomes of a run whose maker died before he was done, and of what he leaves. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { faultyFileSystem, fileStore } from '../../src/journal/index.ts';
import { below, place, readRun, record } from './whole-run.ts';

test('what a maker leaves of whom nobody knows, as before a restart of the machine, is cleared away a day later', async () => {
  const { fs, host } = await place();
  const maker = host();
  const day = 24 * 60 * 60 * 1000;
  let now = 1_000_000;
  const clock = { now: () => now, wakeAt: () => () => {} };
  const store = fileStore({ dir: '/data', fs, clock, processes: host().processes });
  await fs.mkdir('/data/runs/.draft-x-1-1-1/lease');
  fs.poke('/data/runs/.draft-x-1-1-1/lease/maker.draft', Buffer.from(`${JSON.stringify(maker.processes.self())}\n`));
  maker.hide();
  now += day;
  await store.fork('r', { at: 1, as: 'one' });
  expect(below(fs, '/data/runs/.')).toHaveLength(1);
  now += 1;
  await store.fork('r', { at: 1, as: 'two' });
  expect(below(fs, '/data/runs/.')).toEqual([]);
});

test('so is the folder of a maker who died before he was named', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-makers-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  let now = Date.now();
  const store = fileStore({ dir, clock: { now: () => now, wakeAt: () => () => {} } });
  await record(store);
  const draft = join(dir, 'runs/.draft-x-1-1-1');
  mkdirSync(join(draft, 'lease'), { recursive: true });
  await store.fork('r', { at: 1, as: 'one' });
  expect(existsSync(draft)).toBe(true);
  now += 25 * 60 * 60 * 1000;
  await store.fork('r', { at: 1, as: 'two' });
  expect(existsSync(draft)).toBe(false);
});

test('what is appended to a fork survives a power loss, wherever its maker died', async () => {
  let reached = 0;
  for (let call = 1; ; call += 1) {
    const { fs, host, store } = await place();
    const maker = host();
    const faulty = faultyFileSystem(fs, { type: 'crash', call, when: 'after' });
    const fork = await maker
      .storeOn({ ...fs, ...faulty })
      .fork('r', { at: 3, as: 'f' })
      .catch(() => undefined);
    if (fork !== undefined) break;
    maker.kill();
    if (!(await store.list()).includes('f')) continue;
    const journal = await store.open('f');
    const { epoch } = await journal.lease();
    const before = await readRun(store, 'f');
    const [last] = before.slice(-1);
    await journal.append(last?.stream ?? '', last?.seq ?? 0, epoch, [{ type: 'x', at: 0, data: null }]);
    fs.powerCut();
    expect((await readRun(store, 'f')).length).toBe(before.length + 1);
    reached += 1;
  }
  expect(reached).toBeGreaterThan(0);
});
