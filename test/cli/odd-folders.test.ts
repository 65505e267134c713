/** Folders that are not what whoever called meant: one sentence, exit code 2, and not a bug. */
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { program, project } from './support.ts';

const told = (sentence: RegExp) => ({ code: 2, stdout: '', stderr: expect.stringMatching(sentence) as string });

test('the current folder has been removed', async () => {
  const it = project();
  mkdirSync(it.path('here'));
  const ended = it.spawn('sh', [
    '-c',
    'cd here && rmdir ../here && exec "$0" "$1" ls',
    process.execPath,
    program,
  ]).ended;
  expect(await ended).toMatchObject(told(/^BAD_INPUT: the current folder has been removed; .*\n$/));
});

test('an empty --data', async () => {
  expect(await project().troupe('ls', '--data', '')).toMatchObject(
    told(/^BAD_INPUT: expected --data .* empty text.*\n$/),
  );
});

test('a folder that is to be restored', async () => {
  const it = project();
  mkdirSync(it.path('runs'));
  expect(await it.troupe('restore', 'runs')).toMatchObject(told(/^BAD_INPUT: \S+runs is a folder; .*\n$/));
});
