/** Private folders of attempts: nobody else may read them, and the next host finds what the last one left. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { privateFolder } from '../../../src/harness/agent/private-folder.ts';
import { sweepAgent } from '../../../src/harness/agent/sweep-agent.ts';
import { runId } from '../support.ts';

const module = new URL('../../../src/harness/agent/private-folder.ts', import.meta.url).href;

test('those of a lost attempt are removed with it; those of others stay', async () => {
  const keys = [`${runId}/g/a#1/1`, `${runId}/g/a#1/11`];
  const [lost, other] = await Promise.all(keys.map(privateFolder));
  expect(statSync(lost?.path ?? '').mode & 0o777).toBe(0o700);
  await sweepAgent(keys[0] ?? '');
  expect([lost, other].map((folder) => existsSync(folder?.path ?? ''))).toEqual([false, true]);
  await other?.remove();
  expect(existsSync(other?.path ?? '')).toBe(false);
});

test('those of a living host of the same key stay: it is that of another data folder; when it has died, they go', async () => {
  const key = `${runId}/g/b#1/1`;
  const script = `const { privateFolder } = await import(${JSON.stringify(module)});
    console.log((await privateFolder(${JSON.stringify(key)})).path); setInterval(() => {}, 1_000);`;
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script];
  const host = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(host.stdout, 'data')) as [Buffer];
  const path = said.toString().trim();
  await sweepAgent(key);
  expect(existsSync(path)).toBe(true);
  host.kill('SIGKILL');
  await once(host, 'exit');
  await sweepAgent(key);
  expect(existsSync(path)).toBe(false);
});
