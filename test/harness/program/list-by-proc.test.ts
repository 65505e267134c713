/** Against a made-up /proc, where one can say what happens in the middle of a look. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listByProc } from '../../../src/harness/program/list-by-proc.ts';
import { temporaryFolder } from '../support.ts';

let proc: ReturnType<typeof temporaryFolder>;
beforeEach(() => (proc = temporaryFolder()));
afterEach(() => proc.remove());

/** A process as /proc shows it. */
const show = (pid: number, key: string | undefined, { group = 1, state = 'S', threads = 1, name = 'sh' } = {}) => {
  mkdirSync(proc.at(`${pid}`), { recursive: true });
  const fields = [state, 1, group, group, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, threads, 0, pid * 10, 0];
  writeFileSync(proc.at(`${pid}/stat`), `${pid} (${name}) ${fields.join(' ')}\n`);
  writeFileSync(proc.at(`${pid}/environ`), key === undefined ? '' : `A=b\0TROUPE_HOST=h\0TROUPE_ATTEMPT=${key}\0`);
};
const keysOf = async (looking = listByProc(proc.path)) =>
  Object.fromEntries((await looking).map(({ pid, marks }) => [pid, marks.map(({ key }) => key).join()]));

test('a process is what its files say, whatever it is called', async () => {
  show(7, 'k/1', { group: 5, name: 'a) S 1 (b' });
  show(8, undefined, { group: 0 });
  expect(await listByProc(proc.path)).toMatchObject([
    { pid: 7, groupId: 5, start: '70', marks: [{ host: 'h', key: 'k/1' }] },
  ]);
});

test('a zombie is not alive, unless one of its threads is', async () => {
  show(7, 'seven', { state: 'Z' });
  show(8, undefined, { state: 'Z', threads: 2 });
  for (const thread of ['8', '9']) mkdirSync(proc.at(`8/task/${thread}`), { recursive: true });
  writeFileSync(proc.at('8/task/8/environ'), '');
  writeFileSync(proc.at('8/task/9/environ'), 'TROUPE_ATTEMPT=eight\0');
  expect(await keysOf()).toEqual({ 8: 'eight' });
  expect(await listByProc(proc.path)).toMatchObject([{ pid: 8, isDying: true }]);
});

test('what is forked while others are read is found, though its parent ends before it is read', async () => {
  for (let pid = 100; pid < 150; pid += 1) show(pid, 'other');
  const looking = listByProc(proc.path);
  rmSync(proc.at('149'), { recursive: true });
  show(90, 'daemon');
  expect(await keysOf(looking)).toMatchObject({ 90: 'daemon' });
});

test('what is being loaded is looked at again, and what has no environment holds nobody up twice', async () => {
  show(7, undefined);
  show(8, undefined);
  const looking = listByProc(proc.path);
  show(7, 'loaded');
  expect(await keysOf(looking)).toEqual({ 7: 'loaded', 8: '' });

  let isThere = false;
  void listByProc(proc.path).then(() => (isThere = true));
  await turn();
  expect(isThere).toBe(true);
});

test('without such a folder there is no answer', async () => {
  await expect(listByProc(proc.at('none'))).rejects.toThrow('ENOENT');
});
