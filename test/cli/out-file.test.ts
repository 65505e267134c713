/** Files and ports that are named on the command line and cannot be had: one sentence, exit code 2, and nothing lost. */
import { mkdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { members, project, workProcess } from './support.ts';

const machine = `
import { setup } from 'xstate';
export default setup({}).createMachine({ id: 'm', initial: 'a', states: { a: {} } });
`;

async function withRun() {
  const it = project({ 'work.process.mjs': workProcess, 'machine.ts': machine, 'kept.txt': 'kept\n' });
  await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a'));
  return it;
}

describe('a file that cannot be written', () => {
  test.each([
    ['export', 'r1', '--as', 'mermaid', '--out'],
    ['export', 'r1', '--as', 'stately', '--out'],
    ['graph', 'machine.ts', '--out'],
    ['inspect', 'r1', '--export'],
  ])('%s %s %s', async (...words) => {
    const it = await withRun();
    mkdirSync(it.path('folder'));
    for (const file of ['nowhere/out.txt', 'folder'])
      expect(await it.troupe(...words, file)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(
          /^BAD_INPUT: cannot write .*(nowhere\/out\.txt|folder): E[A-Z]+: .*\n$/,
        ) as string,
      });
  });

  test('archive r1 --out: of a folder that is not there, or is none, the disk is not to blame', async () => {
    const it = await withRun();
    for (const file of ['nowhere/r1.tar.gz', 'kept.txt/r1.tar.gz'])
      expect(await it.troupe('archive', 'r1', '--out', file)).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^BAD_INPUT: cannot write \S+: there is no folder \S+\.\n$/) as string,
      });
  });

  test('keeps what stands there when there is nothing to write', async () => {
    const it = await withRun();
    for (const refused of [
      ['--as', 'mermaid', '--mask', '('],
      ['--as', 'svg', '--group', 'nobody'],
      ['--as', 'svg', '--at', 'soon'],
    ])
      expect((await it.troupe('export', 'r1', ...refused, '--out', 'kept.txt')).code).toBe(2);
    expect(it.lines('kept.txt')).toEqual(['kept']);
    expect((await it.troupe('export', 'r1', '--as', 'stately', '--out', 'kept.txt')).code).toBe(0);
    expect(it.lines('kept.txt').map((line) => (JSON.parse(line) as { type: string }).type)).toContain('@xstate.actor');
  });
});

test.each(['constructor', '__proto__', 'nobody'])('export of a group `%s` that there is not', async (group) => {
  const it = await withRun();
  const { code, stderr } = await it.troupe('export', 'r1', '--as', 'svg', '--group', group);
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('UNKNOWN_GROUP') as string });
});

test('a port that somebody has', async () => {
  const it = await withRun();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = String((server.address() as AddressInfo).port);
  for (const words of [
    ['--port', port],
    ['--stately', port],
  ])
    expect(await it.troupe('inspect', 'r1', ...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`BAD_INPUT: expected ${words[0]} to be a free port, got ${port}`) as string,
    });
  server.close();
});
