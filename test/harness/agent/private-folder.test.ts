/** Private folders of attempts: nobody else may read them, and the next host finds what the last one left. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { privateFolder } from '../../../src/harness/agent/private-folder.ts';
import { sweepAgent } from '../../../src/harness/agent/sweep-agent.ts';
import { beginStint } from '../../../src/harness/program/stint.ts';
import { runId } from '../support.ts';

const sourceOf = (path: string) => new URL(`../../../src/harness/${path}`, import.meta.url).href;

test('nobody else may read one; a sweep of an equal key, of a run in another store, leaves what this process uses', async () => {
  const key = `${runId}/g/a#1/1`;
  const stint = beginStint();
  const folder = await privateFolder(key, stint.mark);
  expect(statSync(folder.path).mode & 0o777).toBe(0o700);
  await sweepAgent(key);
  expect(existsSync(folder.path)).toBe(true);
  await folder.remove();
  expect(existsSync(folder.path)).toBe(false);
  const left = await privateFolder(key, stint.mark);
  stint.end();
  await sweepAgent(key);
  expect(existsSync(left.path)).toBe(false);
});

test('those of a living host stay: they are of another data folder; when it has died, those of the key go', async () => {
  const keys = [`${runId}/g/b#1/1`, `${runId}/g/b#1/11`] as const;
  const script = `const { privateFolder } = await import(${JSON.stringify(sourceOf('agent/private-folder.ts'))});
    const { beginStint } = await import(${JSON.stringify(sourceOf('program/stint.ts'))});
    const made = await Promise.all(${JSON.stringify(keys)}.map((key) => privateFolder(key, beginStint().mark)));
    console.log(made.map(({ path }) => path).join(' ')); setInterval(() => {}, 1_000);`;
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script];
  const host = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(host.stdout, 'data')) as [Buffer];
  const areThere = () =>
    said
      .toString()
      .trim()
      .split(' ')
      .map((path) => existsSync(path));
  await sweepAgent(keys[0]);
  expect(areThere()).toEqual([true, true]);
  host.kill('SIGKILL');
  await once(host, 'exit');
  await sweepAgent(keys[0]);
  expect(areThere()).toEqual([false, true]);
  await sweepAgent(keys[1]);
  expect(areThere()).toEqual([false, false]);
});
