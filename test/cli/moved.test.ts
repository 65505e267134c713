/** A project whose folder is moved while a run of it waits to go on. */
import { mkdirSync, renameSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lastJson, members, program, project, workProcess } from './support.ts';

test('a run goes on where its project is now: its commands, too', async () => {
  const it = project();
  mkdirSync(it.path('here'));
  it.write('here/work.process.mjs', workProcess);
  const start = (folder: string, ...args: readonly string[]) =>
    it.spawn(process.execPath, [program, ...args], { cwd: it.path(folder) });
  const first = start('here', 'run', 'work.process.mjs', '--run-id', 'work', '--input', members('a', 'held'));
  await expect.poll(() => it.lines('here/started.txt').length, { timeout: 20_000 }).toBe(2);
  first.child.kill('SIGINT');
  await first.ended;
  renameSync(it.path('here'), it.path('there'));
  it.write('there/go', '');
  const ended = await start('there', 'resume', 'work', '--json').ended;
  expect(lastJson(ended)).toMatchObject({ run: { output: { succeeded: ['a', 'held'], failed: [] } } });
});
