/** Where attempts may write their whole output. */
import { expect, test } from 'vitest';
import { defineProcess } from 'troupe';
import { fileStore, memoryFileSystem } from 'troupe/journal';
import { ok } from 'troupe/harness';
import { caller } from '../support/caller.ts';
import { finished, stage } from '../support/running.ts';

test.each(['.', '..', 'a/b', 'å ß', 'x'.repeat(200)])('a group called %s has a place for them', async (name) => {
  const process = defineProcess(
    'named',
    (ctx) => ctx.group(name, caller, { members: [{ id: '..' }], until: 1 }).output,
  );
  const still = stage(process, { '*': ok(1) });
  const store = fileStore({ dir: '/data', fs: memoryFileSystem() });
  expect(await finished(still, { store })).toMatchObject({ status: 'completed' });
});
