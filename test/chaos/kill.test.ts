/** The short form of `npm run test:chaos`, by the same program; a failure says how to do it again. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compile } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'troupe-chaos-program-'));
beforeAll(() => compile(fileURLToPath(new URL('../..', import.meta.url)), folder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What one part prints. */
function part(name: string): Promise<string> {
  const env = { TROUPE_KILLS: '8', TROUPE_PARALLEL: '2', TROUPE_ROUNDS: '1', ...process.env };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(folder, 'test/chaos/main.js'), name], { env }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}

test('a run whose hosts are killed anywhere ends as if nothing had happened', async () => {
  expect(await part('kill')).toMatch(/^ok +kill: \d+ kills in .* none lost .*\n$/);
});

test('of two hosts one writes; a dead one is replaced at once, a stopped one is fenced off', async () => {
  expect(await part('hosts')).toMatch(/^ok +hosts: 1 races, one writer each; 1 take-overs .*\n$/);
});

test('a signal stops a run that goes on later; a second one ends everything at once', async () => {
  expect(await part('signals')).toMatch(/^ok +signals: 4 runs stopped .*\n$/);
});
