/** Private folders of attempts: nobody else may read them, and the next host finds what the last one left. */
import { existsSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { privateFolder } from '../../../src/harness/agent/private-folder.ts';
import { sweepAgent } from '../../../src/harness/agent/sweep-agent.ts';
import { runId } from '../support.ts';

test('those of a lost attempt are removed with it; those of others stay', async () => {
  const keys = [`${runId}/g/a#1/1`, `${runId}/g/a#1/11`];
  const [lost, other] = await Promise.all(keys.map(privateFolder));
  expect(statSync(lost?.path ?? '').mode & 0o777).toBe(0o700);
  await sweepAgent(keys[0] ?? '');
  expect([lost, other].map((folder) => existsSync(folder?.path ?? ''))).toEqual([false, true]);
  await other?.remove();
  expect(existsSync(other?.path ?? '')).toBe(false);
});
