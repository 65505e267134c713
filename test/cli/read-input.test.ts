/** Inputs and bodies as they are typed. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inexactIn } from '../../src/cli/inexact.ts';
import { readInput } from '../../src/cli/read-input.ts';
import { bareProject, members, project, workProcess } from './support.ts';

test('a file may begin with the mark of its encoding', async () => {
  const file = bareProject().path('input.json');
  writeFileSync(file, '\ufeff{"n":1}\r\n');
  expect(await readInput(`@${file}`)).toEqual({ n: 1 });
});

test('what is not JSON is told with what it is; how it is quoted only where a shell has read it', async () => {
  const file = bareProject().path('input.json');
  writeFileSync(file, '{n:1}');
  await expect(readInput(`@${file}`)).rejects.toThrow(/input\.json to be JSON, got `\{n:1\}`: .*JSON.*\.$/);
  await expect(readInput(`@${file}`)).rejects.not.toThrow(/Quote/);
  await expect(readInput('{n:1}')).rejects.toThrow(/Quote it for the shell/);
  await expect(readInput('{"n":1e999}')).rejects.toThrow(/got Infinity\.$/);
});

test.each([
  ['{"id":9007199254740993}', '9007199254740993'],
  ['[1, -12345678901234567890]', '-12345678901234567890'],
  ['{"a":"\\"9007199254740993","b":[9007199254740995]}', '9007199254740995'],
  ['{"id":9007199254740992}', undefined],
  ['{"id":"9007199254740993"}', undefined],
  ['[1700000000000000000, 0.12345678901234567, 1234567890123456.789e3, 12345678901234567e-3]', undefined],
  ['{"9007199254740993":1}', undefined],
])('%s: a whole number that would be changed is %s', async (json, number) => {
  expect(inexactIn(json)).toBe(number);
  if (number === undefined) expect(await readInput(json)).toEqual(JSON.parse(json));
  else await expect(readInput(json)).rejects.toThrow(`${number} is more than a number can hold`);
});

test('a long number is sent as the text that it is, and refused where it stands in JSON', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const host = it.start('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('held'));
  await host.said('held');
  const send = (body: string) => it.troupe('send', 'r1', 'work', 'held', body);
  expect(await send('12345678901234567890')).toMatchObject({ code: 0 });
  expect(await send('{"id":12345678901234567890}')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^BAD_INPUT: message: 12345678901234567890 is more than a number can hold/),
  });
  expect((await it.troupe('log', 'r1', '--json')).stdout).toContain('"body":"12345678901234567890"');
  it.write('go', '');
  expect(await host.ended).toMatchObject({ code: 0 });
});
