/** What the commands print that only look: show, log, ls, verify. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fileStore } from '../../src/journal/index.ts';
import { lastJson, members, program, project, startedIn, workProcess } from './support.ts';

const number = expect.any(Number) as number;

test('show --json has the run, its groups, their members and checkpoints', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a', 'bad-b'));
  const shown = lastJson(await it.troupe('show', 'r1', '--json'));
  expect(shown).toMatchObject({
    run: {
      id: 'r1',
      status: 'completed',
      process: 'work',
      file: 'work.process.mjs',
      input: { members: ['a', 'bad-b'] },
      output: { succeeded: ['a'], failed: ['bad-b'] },
      startedAt: number,
      endedAt: number,
    },
    groups: [
      {
        name: 'work',
        status: 'completed',
        machine: 'fan-out',
        members: [
          { id: 'a', status: 'completed', harness: 'command', attempt: 1 },
          { id: 'bad-b', status: 'failed', harness: 'command', attempt: 1, error: { code: 'EXIT_3' } },
        ],
        checkpoints: [{ name: 'checkpoint 1', seq: number, settled: 2, total: 2 }],
        deadLetters: 0,
      },
    ],
    waitsFor: [],
  });
});

test('show and ls tell a run that is driven from one that waits to be resumed, and what it waits for', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const host = it.start('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a', 'held'));
  await host.said(/settled {2}a [^]*started {2}held|started {2}held[^]*settled {2}a /);
  const driven = await it.troupe('show', 'r1');
  expect(driven.stdout).toMatch(
    new RegExp(`^run r1 · work · active · since .+ · driven by process ${host.child.pid} on .+\\n`),
  );
  expect(driven.stdout).toContain(
    '\nwaits for  held (running)\n\n  npx troupe log r1 --follow\n  npx troupe cancel r1\n',
  );
  expect(lastJson(await it.troupe('ls', '--json'))).toMatchObject({
    runs: [{ id: 'r1', status: 'active', holder: { pid: host.child.pid } }],
  });
  host.child.kill('SIGKILL');
  await host.ended;
  const left = await it.troupe('show', 'r1');
  expect(left.stdout).toMatch(/^run r1 · work · resumable · since .+ · nobody drives it\n/);
  expect(left.stdout).toContain('\n  npx troupe resume r1\n');
  expect((await it.troupe('ls')).stdout).toMatch(/^r1 {2}resumable {2}work {2}.+ · 1 of 2 members settled\n$/);
  expect(lastJson(await it.troupe('show', 'r1', '--json'))).toMatchObject({
    run: { holder: null },
    waitsFor: [{ type: 'member', group: 'work', member: 'held', status: 'running' }],
  });
  expect((await it.troupe('cancel', 'r1')).code).toBe(0);
});

test('commands that are suggested name the data folder, when it was named', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const { stdout } = await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--data', 'my data');
  expect(stdout).toContain("\n  npx troupe show r1 --data 'my data'\n");
  expect((await it.troupe('show', 'r1', '--data', 'my data')).code).toBe(0);
  const archived = await it.troupe('archive', 'r1', '--data', 'my data', '--out', 'my run.tar.gz');
  expect(archived.stdout).toMatch(/\n {2}npx troupe restore 'my run\.tar\.gz' --data 'my data'\n$/);
  expect((await it.troupe('show', 'r1')).code).toBe(7);
});

test('what a run has failed of, and the names in it, cannot write elsewhere on the terminal', async () => {
  const it = project({
    'work.process.mjs': workProcess
      .replace("'work', fanOut", "'w\\x1b[2Jork', fanOut")
      .replace(/return .*;\n\}\);/, "throw new Error('first\\n\\x1b[2Jsecond');\n});"),
  });
  const run = await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a'));
  const shown = await it.troupe('show', 'r1');
  const log = await it.troupe('log', 'r1');
  expect(shown.stdout).toContain('\nfailed: first\nsecond\n');
  for (const { stdout } of [run, shown, log]) expect(stdout).toMatch(/work[^]*failed: first/);
  for (const { stdout } of [run, shown, log]) expect(stdout).not.toContain('\u001b');
});

test('log prints a line per entry; --json is NDJSON of {stream,seq,at,type,data}; --group keeps to one', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  await it.troupe('run', 'work.process.mjs', '--run-id', 'r1');
  const json = (await it.troupe('log', 'r1', '--json')).stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { stream: string; seq: number; type: string });
  for (const entry of json) expect(Object.keys(entry)).toEqual(['position', 'stream', 'seq', 'at', 'type', 'data']);
  const text = (await it.troupe('log', 'r1')).stdout.trimEnd().split('\n');
  expect(text).toHaveLength(json.length);
  expect(text[0]).toMatch(/^ {4}1 {2}\d\d:\d\d:\d\d {2}run {19}1 {2}run\.created {8}process work, input null$/);
  const group = (await it.troupe('log', 'r1', '--group', 'work', '--json')).stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { stream: string; seq: number });
  expect(group.map(({ seq }) => seq)).toEqual(
    json.filter(({ stream }) => stream === 'group:work').map(({ seq }) => seq),
  );
  const unknown = await it.troupe('log', 'r1', '--group', 'wrok');
  expect(unknown).toMatchObject({ code: 2, stderr: 'UNKNOWN_GROUP: run r1 has no group `wrok`. Groups: work.\n' });
});

test('log --follow prints entries as they come, beside a living host, and ends with the run', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const host = it.start('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('held', 'b'));
  await host.said('started  held');
  const follow = it.start('log', 'r1', '--follow', '--json');
  const group = it.start('log', 'r1', '--group', 'work', '--follow');
  await follow.said('attempt.started');
  await group.said('attempt.started');
  it.write('go', '');
  const [all, one] = await Promise.all([follow.ended, group.ended]);
  expect(all).toMatchObject({ code: 0, stderr: '' });
  expect(one).toMatchObject({ code: 0, stderr: '' });
  await host.ended;
  expect(all.stdout).toBe((await it.troupe('log', 'r1', '--json')).stdout);
  expect(one.stdout).toBe((await it.troupe('log', 'r1', '--group', 'work')).stdout);
});

test('log --follow of a run that is removed meanwhile says so', async () => {
  const it = project();
  const journal = await fileStore({ dir: it.path('.troupe') }).open('r1', { create: true });
  const { epoch } = await journal.lease();
  await journal.append('run', 0, epoch, [{ type: 'run.created', at: Date.now(), data: { process: 'p', input: null } }]);
  await journal.close();
  const follow = it.start('log', 'r1', '--follow');
  await follow.said('run.created');
  expect(await it.troupe('rm', 'r1', '--status', 'active')).toMatchObject({ code: 0 });
  const { code, stderr } = await follow.ended;
  expect(code).toBe(7);
  expect(stderr).toContain('RUN_UNKNOWN: There is no run `r1`');
});

test('a journal file that cannot be copied to where temporary files are is trouble with the disk, no bug', async () => {
  const it = project();
  const journal = await fileStore({ dir: it.path('.troupe') }).open('r1', { create: true });
  await journal.close();
  const args = [program, 'inspect', './.troupe/runs/r1/journal.jsonl', '--export', 'page.html'];
  const { code, stderr } = await it.spawn(process.execPath, args, { env: { TMPDIR: it.path('nowhere') } }).ended;
  expect(code).toBe(6);
  expect(stderr).toContain(
    `JOURNAL_IO: ENOENT while copying the journal to where temporary files are (${it.path('nowhere')})`,
  );
});

test('log --follow of a group that a run never had says so when the run has ended', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a'));
  const { code, stderr } = await it.troupe('log', 'r1', '--group', 'wrok', '--follow');
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('has no group `wrok`') as string });
});

test('in a folder of the project, whose runs are above, it is told how they are found', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  await it.troupe('run', 'work.process.mjs', '--run-id', 'r1');
  mkdirSync(it.path('src'));
  const below = (...args: readonly string[]) =>
    it.spawn(process.execPath, [program, ...args], { cwd: it.path('src') }).ended;
  expect((await below('ls')).stdout).toMatch(
    /^no runs in .+; there are some above: npx troupe ls --data \.\.\/\.troupe$/m,
  );
  const unknown = await below('show', 'r1');
  expect(unknown.stderr).toContain('add --data ../.troupe');
  expect(unknown.code).toBe(7);
  expect((await below('show', 'r2', '--data', '../.troupe')).stderr).not.toContain('add --data');
  expect((await below('show', 'r1', '--data', '../.troupe')).stdout).toContain('run r1');
});

test('ls lists the newest first, and damaged runs as such', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  expect((await it.troupe('ls')).stdout).toMatch(/^no runs in .+\.troupe; start one: /);
  await it.troupe('run', 'work.process.mjs', '--run-id', 'first');
  await it.troupe('run', 'work.process.mjs', '--run-id', 'second');
  damage(it.path('.troupe/runs/first/journal.jsonl'), 3);
  const { code, stdout } = await it.troupe('ls');
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^second {2}completed {2}work {2}.+ · 2 of 2 members settled$/);
  expect(lines[1]).toMatch(/^first {3}damaged {4}– {5}.*JOURNAL_CORRUPT/);
});

test('verify proves a run without running anything of it', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  await it.troupe('run', 'work.process.mjs', '--run-id', 'r1');
  const { code, stdout } = await it.troupe('verify', 'r1');
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^✓ run r1: \d+ entries, every checksum and seq holds\n✓ {3}work: \d+ entries replayed, \d+ recorded digests met, .+\n$/,
  );
  expect(lastJson(await it.troupe('verify', 'r1', '--json'))).toMatchObject({
    ok: true,
    run: 'r1',
    groups: [{ name: 'work', digests: number }],
  });
  expect(startedIn(it)).toEqual(['a', 'b']);
  expect((await it.troupe('verify', 'nope')).code).toBe(7);
});

test('a damaged journal is exit code 4, with file, line and byte, for every command that reads it', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  await it.troupe('run', 'work.process.mjs', '--run-id', 'r1');
  const byte = damage(it.path('.troupe/runs/r1/journal.jsonl'), 5);
  for (const command of [
    ['verify', 'r1'],
    ['show', 'r1'],
    ['resume', 'r1'],
    ['log', 'r1'],
    ['cancel', 'r1'],
    ['run', 'work.process.mjs', '--run-id', 'r1'],
  ]) {
    const { code, stderr } = await it.troupe(...command);
    expect({ command, code }).toEqual({ command, code: 4 });
    expect(stderr).toMatch(/^JOURNAL_CORRUPT: .*journal\.jsonl/);
  }
  const { error } = lastJson(await it.troupe('verify', 'r1', '--json')) as {
    error: { details: Record<string, unknown> };
  };
  expect(error.details).toMatchObject({ file: expect.stringContaining('journal.jsonl') as string, line: 5, byte });
});

test('a machine that changed under its run is exit code 5', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  await it.troupe('run', 'work.process.mjs', '--run-id', 'r1');
  it.write('work.process.mjs', workProcess.replace('concurrency: 3', 'concurrency: 2'));
  const { code, stderr } = await it.troupe('verify', 'r1');
  expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringContaining('GROUP_MISMATCH') as string });
});

/** Changes one letter in a line (1-based) of a file; returns where the line begins. */
function damage(file: string, line: number): number {
  const lines = readFileSync(file, 'utf8').split('\n');
  lines[line - 1] = (lines[line - 1] ?? '').replace('"stream"', '"strxam"');
  writeFileSync(file, lines.join('\n'));
  return Buffer.byteLength(
    lines
      .slice(0, line - 1)
      .map((text) => `${text}\n`)
      .join(''),
  );
}

const odd = `
import { defineProcess } from 'troupe';
import { fn } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
export const harnesses = { now: fn(() => Promise.resolve(1)) };
export default defineProcess('odd', async (ctx) => {
  await ctx.group('constructor', fanOut, { members: [{ id: 'a', harness: 'now' }] }).output;
});
`;

test('export draws a group of any name, and a mistake is exit code 2 and leaves the file as it is', async () => {
  const it = project({ 'odd.process.mjs': odd });
  await it.troupe('run', 'odd.process.mjs', '--run-id', 'r1');
  const drawn = await it.troupe('export', 'r1', '--as', 'svg', '--group', 'constructor');
  expect(drawn).toMatchObject({ code: 0, stdout: expect.stringContaining('<svg') });
  expect(await it.troupe('export', 'r1', '--as', 'svg', '--group', 'toString')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('UNKNOWN_GROUP'),
  });
  expect(await it.troupe('export', 'r1', '--as', 'svg', '--at', 'x')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected --at to be a position'),
  });
  expect(await it.troupe('export', 'r1', '--as', 'mermaid', '--out', 'gone/odd.mmd')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('cannot write gone/odd.mmd'),
  });
  expect(await it.troupe('inspect', 'r1', '--export', 'gone/odd.html')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/cannot write .*gone\/odd\.html/),
  });
  it.write('odd.svg', 'kept');
  expect(await it.troupe('export', 'r1', '--as', 'svg', '--group', 'none', '--out', 'odd.svg')).toMatchObject({
    code: 2,
  });
  expect(readFileSync(`${it.folder}/odd.svg`, 'utf8')).toBe('kept');
  expect(await it.troupe('export', 'r1', '--as', 'svg', '--out', 'odd.svg')).toMatchObject({ code: 0 });
  expect(readFileSync(`${it.folder}/odd.svg`, 'utf8')).toContain('</svg>');
});
