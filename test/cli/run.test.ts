import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bareProject, lastJson, members, program, project, startedIn, workProcess } from './support.ts';

test('a run prints a line per change of state, its members, its result, and what to do next', async () => {
  const { troupe } = project({ 'work.process.mjs': workProcess });
  const { code, stdout, stderr } = await troupe(
    'run',
    'work.process.mjs',
    '--run-id',
    'r1',
    '--input',
    members('a', 'bad-b'),
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout
    .replaceAll(/\d\d:\d\d:\d\d/g, '<time>')
    .replaceAll(/\d+\.\ds/g, '<took>')
    .split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'run r1 · work',
      '<time>  work  started  a on command',
      '<time>  work  settled  a ok hello from a',
      '<time>  work  settled  bad-b error exit code 3: hello from bad-b',
      '<time>  work  ●  checkpoint 1 (2 of 2)',
      '<time>  work  ended  completed',
      '  work  fan-out  2/2  ● checkpoint 1 (2 of 2)  completed',
      '    a      command  ✓ <took>    hello from a',
      '    bad-b  command  ✗ <took>    exit code 3: hello from bad-b',
      '      │ hello from bad-b',
      'succeeded:',
      '  - a',
      '  npx troupe show r1',
    ]),
  );
});

test('the sessions of its agents are for the log: there in words', async () => {
  const { troupe } = project({
    'talk.process.mjs': `
      import { defineProcess } from 'troupe';
      import { agentHarness, fakeAgent } from 'troupe/harness';

      const agent = fakeAgent(() => 'Done.', { capabilities: { mcp: false } });
      export const harnesses = { agent: agentHarness(agent) };
      export default defineProcess('talk', (ctx) => ctx.task('ask', { harness: 'agent', prompt: 'Go.' }));`,
  });
  const { code, stdout } = await troupe('run', 'talk.process.mjs', '--run-id', 'r1');
  expect(code).toBe(0);
  expect(stdout).toMatch(/ started {2}\S+ on agent$/m);
  expect(stdout).not.toContain('session');
  const { stdout: log } = await troupe('log', 'r1');
  expect(log).toMatch(/attempt\.session +\S+ in session [\w-]{36}$/m);
  expect(log).toMatch(/attempt\.session .* in session [\w-]{36}; fake has not joined the mailbox of its group: /m);
});

test('a run that has ended prints its result again, and runs nothing', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const first = await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--json');
  const again = await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--json');
  const resumed = await it.troupe('resume', 'r1', '--json');
  expect(first.code).toBe(0);
  expect(lastJson(again)).toEqual(lastJson(first));
  expect(again.stdout).toBe(resumed.stdout);
  expect(again.stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(startedIn(it)).toEqual(['a', 'b']);
});

test('a run that has ended belongs to its process and its input', async () => {
  const it = project({
    'work.process.mjs': workProcess,
    'other.process.mjs': workProcess.replace("'work', async", "'other', async"),
  });
  await it.troupe('run', 'work.process.mjs', '--run-id', 'r1');
  const other = await it.troupe('run', 'other.process.mjs', '--run-id', 'r1');
  expect(other).toMatchObject({ code: 2, stdout: '' });
  expect(other.stderr).toContain('run r1 belongs to process `work`, not to `other`');
  const input = await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--input', '{"members":["z"]}');
  expect(input).toMatchObject({ code: 2, stdout: '' });
  expect(input.stderr).toContain('run r1 has ended, with input null, not {"members":["z"]}');
  expect(startedIn(it)).toEqual(['a', 'b']);
});

test('--json prints entries as NDJSON, then the run', async () => {
  const it = project({
    'work.process.mjs': workProcess.replace('const members =', "console.log('from the process'); const members ="),
  });
  const ended = await it.troupe('run', 'work.process.mjs', '--json');
  const lines = ended.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const entry of lines.slice(0, -1)) expect(Object.keys(entry)).toEqual(['stream', 'seq', 'at', 'type', 'data']);
  expect(lines.map(({ type }) => type)).toEqual(expect.arrayContaining(['run.created', 'member.settled', 'run.ended']));
  expect(lastJson(ended)).toMatchObject({
    run: { status: 'completed', process: 'work', output: { succeeded: ['a', 'b'] } },
  });
  expect(ended.stderr).toBe('from the process\n');
});

test('what files say while they are loaded is not what a command prints', async () => {
  const it = project({
    'work.process.mjs': `console.log('loaded'); console.dirxml('loaded too');\n${workProcess}`,
    'troupe.config.mjs': "console.log('configured'); export default {};\n",
  });
  const said = 'loaded\nloaded too\n';
  const ended = await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--json');
  for (const line of ended.stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toBeTypeOf('object');
  expect(ended).toMatchObject({ code: 0, stderr: `${said}configured\n` });
  for (const words of [
    ['verify', 'r1', '--json'],
    ['export', 'r1', '--as', 'otlp'],
  ]) {
    const { stdout, stderr } = await it.troupe(...words);
    expect({ stderr, json: JSON.parse(stdout) as object }).toEqual({
      stderr: said,
      json: expect.any(Object) as object,
    });
  }
});

test('a run without an id gets a short one of its own', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const ids = await Promise.all(
    [0, 1, 2].map(
      async () => (lastJson(await it.troupe('run', 'work.process.mjs', '--json')) as { run: { id: string } }).run.id,
    ),
  );
  expect(new Set(ids).size).toBe(3);
  for (const id of ids) expect(id).toMatch(/^[0-9a-z]{5}$/);
});

test('--input takes JSON, a file, or standard input; anything else is exit code 2 and a sentence', async () => {
  const it = project({ 'work.process.mjs': workProcess, 'input.json': members('from-file') });
  const output = async (input: string, stdin = '') => {
    const { child, ended } = it.start('run', 'work.process.mjs', '--json', '--input', input);
    child.stdin?.end(stdin);
    return (lastJson(await ended) as { run: { output: unknown } }).run.output;
  };
  expect(await output('@input.json')).toMatchObject({ succeeded: ['from-file'] });
  expect(await output('@-', members('from-stdin'))).toMatchObject({ succeeded: ['from-stdin'] });
  const wrong = await it.troupe('run', 'work.process.mjs', '--input', '{members:1}');
  expect(wrong).toMatchObject({ code: 2, stdout: '' });
  expect(wrong.stderr).toMatch(/^BAD_INPUT: expected --input to be JSON, got `\{members:1\}`: .+\n$/);
  expect((await it.troupe('run', 'work.process.mjs', '--input', '@none.json')).stderr).toContain(
    'BAD_INPUT: --input @none.json: cannot read none.json',
  );
  expect((await it.troupe('run', 'work.process.mjs', '--run-id', '../x')).code).toBe(2);
});

test('a process that throws ends its run as failed: exit code 1, the error in words, with its place, and in JSON', async () => {
  const it = project({
    'sad.process.mjs':
      "import { defineProcess } from 'troupe';\nexport default defineProcess('sad', () => { throw new Error('no luck'); });\n",
  });
  const plain = await it.troupe('run', 'sad.process.mjs', '--run-id', 's1');
  expect(plain.code).toBe(1);
  expect(plain.stdout).toContain('\nfailed: no luck\n  at sad.process.mjs:2\n');
  expect((await it.troupe('show', 's1')).stdout).toContain('\nfailed: no luck\n  at sad.process.mjs:2\n');
  const json = await it.troupe('run', 'sad.process.mjs', '--run-id', 's1', '--json');
  expect(json.code).toBe(1);
  expect(lastJson(json)).toMatchObject({ run: { status: 'failed', error: { name: 'Error', message: 'no luck' } } });
});

test('what a group says of its failure has no place in the process', async () => {
  const it = project({
    'sad.process.mjs':
      "import { defineProcess } from 'troupe';\nexport default defineProcess('sad', (ctx) => ctx.task('a', { command: ['false'] }));\n",
  });
  const { code, stdout } = await it.troupe('run', 'sad.process.mjs', '--run-id', 's1');
  expect(code).toBe(1);
  expect(stdout).toMatch(/\nfailed: GROUP_FAILED: .*\n\n/);
});

test('errors are one sentence on standard error, and JSON on standard output when asked', async () => {
  const { troupe } = project();
  const ended = await troupe('show', 'nope', '--json');
  expect(ended.code).toBe(7);
  expect(lastJson(ended)).toMatchObject({ error: { code: 'RUN_UNKNOWN', exitCode: 7, details: { run: 'nope' } } });
  expect(ended.stderr).not.toContain('    at ');
  const misspelt = await troupe('show', 'nope', '--jsn', '--json');
  expect(misspelt.code).toBe(2);
  const message = "BAD_INPUT: unknown option '--jsn' (Did you mean --json?)";
  expect(JSON.parse(misspelt.stdout)).toEqual({ error: { code: 'BAD_INPUT', message, details: {}, exitCode: 2 } });
  expect(misspelt.stderr).toBe("error: unknown option '--jsn'\n(Did you mean --json?)\n");
});

test('--continue goes on with the newest unfinished run of the file, and begins a new one when there is none', async () => {
  const it = project({ 'work.process.mjs': workProcess, 'other.process.mjs': workProcess });
  const idOf = async (ended: ReturnType<typeof it.troupe>) => (lastJson(await ended) as { run: { id: string } }).run.id;
  const first = await idOf(it.troupe('run', 'work.process.mjs', '--continue', '--json'));
  expect(await idOf(it.troupe('run', 'work.process.mjs', '--continue', '--json'))).not.toBe(first);

  const host = it.start('run', 'work.process.mjs', '--run-id', 'held', '--input', members('held'));
  await host.said('started  held');
  host.child.kill('SIGKILL');
  await host.ended;
  it.write('go', '');
  expect(await idOf(it.troupe('run', 'other.process.mjs', '--continue', '--json'))).not.toBe('held');
  expect(await idOf(it.troupe('run', 'work.process.mjs', '--continue', '--json'))).toBe('held');
  expect((await it.troupe('run', 'work.process.mjs', '--continue', '--run-id', 'x')).code).toBe(2);
});

test('the process file is found again from another folder', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const host = it.start('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('held'));
  await host.said('started  held');
  host.child.kill('SIGKILL');
  await host.ended;
  it.write('go', '');
  const elsewhere = project();
  elsewhere.write('go', '');
  const resumed = await elsewhere.troupe('resume', 'r1', '--data', it.path('.troupe'), '--json');
  expect(lastJson(resumed)).toMatchObject({ run: { status: 'completed', file: 'work.process.mjs' } });
});

test('a moved process file is named, and --file says where it is', async () => {
  const it = project({ 'a.ts': workProcess, 'b.ts': workProcess });
  const host = it.start('run', 'a.ts', '--run-id', 'r1', '--input', members('held'));
  await host.said('started  held');
  host.child.kill('SIGKILL');
  await host.ended;
  it.write('go', '');
  rmSync(it.path('a.ts'));
  const lost = await it.troupe('resume', 'r1');
  expect(lost.code).toBe(2);
  expect(lost.stderr).toContain('run r1 was started from a.ts, which is gone. Say where it is now: --file <file>.');
  expect((await it.troupe('resume', 'r1', '--file', 'b.ts')).code).toBe(0);
});

test('`.troupe` stays out of git’s sight; a folder that was named is its owner’s to ignore', async () => {
  const it = bareProject({ 'work.process.mjs': workProcess });
  const git = (...args: string[]) => execFileSync('git', args, { cwd: it.folder, encoding: 'utf8' });
  git('init', '--quiet');
  for (const where of [[], ['--data', 'runs']])
    expect(await it.troupe('run', 'work.process.mjs', '--input', members('a'), ...where)).toMatchObject({ code: 0 });
  expect(git('status', '--porcelain')).toBe('?? runs/\n?? started.txt\n?? work.process.mjs\n');
});

test('a run that is removed while it is taken up is not begun again without its input', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const host = it.start('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('held'));
  await host.said('started  held');
  host.child.kill('SIGKILL');
  await host.ended;
  // Loaded when the journal has been read.
  it.write(
    'work.process.mjs',
    `import { rmSync } from 'node:fs';\nrmSync('.troupe/runs/r1', { recursive: true });\n${workProcess}`,
  );
  const resumed = await it.troupe('resume', 'r1', '--json');
  expect(resumed).toMatchObject({ code: 7, stderr: expect.stringContaining('RUN_UNKNOWN') });
  // What it does without its input.
  expect(startedIn(it)).not.toContain('a');
  expect(existsSync(it.path('.troupe/runs/r1'))).toBe(false);
});

test('what must be mended first ends no run: its id is told, and it goes on when that is done', async () => {
  const twice = workProcess.replace(
    'const { results, failed } =',
    "ctx.group('twice', fanOut, { members: [] }); ctx.group('twice', fanOut, { members: [] });\n  const { results, failed } =",
  );
  const it = project({ 'work.process.mjs': twice });
  const broken = await it.troupe('run', 'work.process.mjs', '--run-id', 'r1');
  expect(broken.code).toBe(2);
  expect(broken.stderr).toContain(
    'run r1 has not ended. Go on with: npx troupe resume r1, or give it up: npx troupe cancel r1\n',
  );
  expect(broken.stderr).toContain('DUPLICATE_NAME: run r1 already has a group `twice`');
  it.write('work.process.mjs', twice.replace("ctx.group('twice', fanOut, { members: [] });", ''));
  const mended = await it.troupe('resume', 'r1', '--json');
  expect(mended).toMatchObject({ code: 0, stderr: '' });
});

test('an empty TROUPE_DATA names no data folder', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const args = [program, 'run', 'work.process.mjs', '--run-id', 'r1'];
  expect((await it.spawn(process.execPath, args, { env: { TROUPE_DATA: '' } }).ended).code).toBe(0);
  expect(existsSync(it.path('.troupe/runs/r1'))).toBe(true);
});

test('a data folder that cannot be written is exit code 6', async () => {
  const it = project({ 'work.process.mjs': workProcess, 'file': '' });
  const { code, stderr } = await it.troupe('run', 'work.process.mjs', '--data', 'file/data');
  expect({ code, stderr }).toEqual({ code: 6, stderr: expect.stringMatching(/^JOURNAL_IO: /) as string });
  expect(startedIn(it)).toEqual([]);
});
