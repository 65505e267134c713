/** Runs as wholes from the command line: fork, retry, rm, archive, restore. */
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fileStore } from '../../src/journal/index.ts';
import { encodeObject } from '../../src/journal/line.ts';
import { lastJson, livingIn, members, project, startedIn, workProcess, type Project } from './support.ts';

interface LogLine {
  readonly position: number;
  readonly stream: string;
  readonly seq: number;
  readonly type: string;
  readonly data: { readonly member?: string };
}

async function logOf(it: Project, run: string, ...more: readonly string[]): Promise<readonly LogLine[]> {
  const { stdout } = await it.troupe('log', run, '--json', ...more);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LogLine);
}

const settledAt = (log: readonly LogLine[], member: string) =>
  log.find(({ type, data }) => type === 'member.settled' && data.member === member)?.position ?? 0;

async function worked(...names: readonly string[]): Promise<Project> {
  const it = project({ 'work.process.mjs': workProcess });
  await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--input', members(...names));
  return it;
}

test('log numbers all entries of a run, of one group as well', async () => {
  const it = await worked('a', 'b');
  const log = await logOf(it, 'r1');
  expect(log.map(({ position }) => position)).toEqual(log.map((_, index) => index + 1));
  expect(await logOf(it, 'r1', '--group', 'work')).toEqual(log.filter(({ stream }) => stream === 'group:work'));
  const lines = (await it.troupe('log', 'r1', '--group', 'work')).stdout.split('\n');
  const [first] = log.filter(({ stream }) => stream === 'group:work');
  expect(lines[0]).toMatch(
    new RegExp(`^ +${first?.position} {2}\\d\\d:\\d\\d:\\d\\d {2}group:work {12}1 {2}group\\.created {6}machine`),
  );
});

test('a fork goes on from its position without doing again what had settled', async () => {
  const it = await worked('a', 'b', 'c', 'd');
  const log = await logOf(it, 'r1');
  const at = settledAt(log, 'a');
  const forked = await it.troupe('fork', 'r1', '--at', String(at), '--as', 'second-try');
  expect(forked).toMatchObject({ code: 0, stderr: '' });
  expect(forked.stdout).toMatch(
    /^run second-try · the first \d+ entries of run r1\n[^]*\n {2}npx troupe resume second-try\n {2}npx troupe log second-try\n$/,
  );
  const { length: copied } = await logOf(it, 'second-try');
  const settled = log.slice(0, copied).filter(({ type }) => type === 'member.settled').length;
  const before = startedIn(it).length;
  expect(await it.troupe('resume', 'second-try')).toMatchObject({ code: 0 });
  expect(startedIn(it).length - before).toBe(4 - settled);
  expect(lastJson(await it.troupe('show', 'second-try', '--json'))).toMatchObject({
    run: { status: 'completed', output: { succeeded: ['a', 'b', 'c', 'd'], failed: [] } },
  });
  expect(await it.troupe('verify', 'second-try')).toMatchObject({ code: 0 });
  expect(lastJson(await it.troupe('fork', 'r1', '--at', '1', '--json'))).toEqual({
    as: 'r1-fork-1',
    from: 'r1',
    at: 1,
    entries: 1,
  });
});

test('what cannot be forked has an exit code and says what can', async () => {
  const it = await worked('a');
  const { length } = await logOf(it, 'r1');
  for (const [args, code, said] of [
    [['--at', '0'], 2, `expected a position from 1 to ${length}`],
    [['--at', String(length + 1)], 2, `expected a position from 1 to ${length}`],
    [['--at', 'x'], 2, 'expected --at to be a position such as 42'],
    [['--at', '1', '--as', 'r1'], 2, 'RUN_EXISTS'],
    [[], 2, "required option '--at <position>'"],
  ] as const) {
    const ended = await it.troupe('fork', 'r1', ...args);
    expect([args, ended.code, ended.stderr.includes(said)]).toEqual([args, code, true]);
  }
  expect(await it.troupe('fork', 'nope', '--at', '1')).toMatchObject({ code: 7 });
});

test('a damaged run is forked before its damage, at the count that the error tells', async () => {
  const it = await worked('a', 'b');
  const path = it.path('.troupe/runs/r1/journal.jsonl');
  const lines = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, [...lines.slice(0, 6), lines[6]?.replace('"at":', '"az":'), ...lines.slice(7)].join('\n'));
  const { error } = lastJson(await it.troupe('log', 'r1', '--json')) as {
    error: { code: string; details: { intact: number } };
  };
  expect(error.code).toBe('JOURNAL_CORRUPT');
  expect(await it.troupe('fork', 'r1', '--at', '6')).toMatchObject({ code: 4 });
  expect(await it.troupe('fork', 'r1', '--at', String(error.details.intact), '--as', 'saved')).toMatchObject({
    code: 0,
  });
  expect(await it.troupe('resume', 'saved')).toMatchObject({ code: 0 });
});

test('retry --go tries a failed member once more in a new run, and exits as that run does', async () => {
  const it = await worked('a', 'bad-b', 'c');
  const retried = await it.troupe('retry', 'r1', 'bad-b', '--go');
  expect(retried.code).toBe(0);
  expect(retried.stdout).toMatch(
    /^run r1-retry-1 · run r1 up to entry \d+, then attempt 2 of member bad-b in group work\n/,
  );
  expect(startedIn(it).filter((name) => name === 'bad-b')).toHaveLength(2);
  expect(lastJson(await it.troupe('show', 'r1-retry-1', '--json'))).toMatchObject({ run: { status: 'completed' } });
  const plain = await it.troupe('retry', 'r1', 'bad-b', '--as', 'again', '--json');
  expect(lastJson(plain)).toMatchObject({ as: 'again', from: 'r1', group: 'work', member: 'bad-b', attempt: 1 });
  expect(startedIn(it).filter((name) => name === 'bad-b')).toHaveLength(2);
  expect((await it.troupe('retry', 'r1', 'bad-c')).stderr).toContain('Did you mean `bad-b`');
  expect(await it.troupe('retry', 'r1', 'a')).toMatchObject({ code: 2 });
  expect(await it.troupe('retry', 'nope', 'a')).toMatchObject({ code: 7 });
});

test('rm removes what is named or matches, and nothing that is driven or has not ended', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  for (const run of ['old', 'new'])
    await it.troupe('run', 'work.process.mjs', '--run-id', run, '--input', members('a'));
  await it.troupe('run', 'work.process.mjs', '--run-id', 'failed-one', '--input', members('a'));
  const host = it.start('run', 'work.process.mjs', '--run-id', 'driven', '--input', members('held'));
  await host.said('started  held');

  expect(await it.troupe('rm')).toMatchObject({ code: 2 });
  expect(await it.troupe('rm', 'old', 'nope')).toMatchObject({ code: 7 });
  expect((await it.troupe('rm', 'odl')).stderr).toContain('Did you mean `old`');
  expect(await it.troupe('rm', '--older-than', 'long')).toMatchObject({ code: 2 });
  expect(await it.troupe('rm', '--status', 'fine')).toMatchObject({ code: 2 });
  expect((await it.troupe('rm', 'driven')).stderr).toContain('run driven has not ended, and nothing was removed');
  const busy = await it.troupe('rm', 'driven', '--status', 'active');
  expect(busy).toMatchObject({ code: 3, stdout: '' });
  expect(busy.stderr).toContain(`held by process ${host.child.pid}`);
  expect(livingIn(it)).toHaveLength(1);

  expect(lastJson(await it.troupe('rm', '--status', 'completed', '--dry-run', '--json'))).toEqual({
    dryRun: true,
    removed: ['failed-one', 'new', 'old'],
    refused: [],
  });
  expect((await it.troupe('rm', '--older-than', '1h')).stdout).toBe('no run matches; nothing was removed\n');
  expect((await it.troupe('rm', 'old')).stdout).toBe('removed old\n');
  expect(existsSync(it.path('.troupe/runs/old'))).toBe(false);
  expect(await it.troupe('show', 'old')).toMatchObject({ code: 7 });
  expect((await it.troupe('rm', '--older-than', '0s')).stdout).toBe('removed failed-one\nremoved new\n');

  host.child.kill('SIGKILL');
  await host.ended;
  writeFileSync(it.path('.troupe/runs/driven/journal.jsonl'), 'nonsense\n');
  const monthsAgo = new Date(Date.now() - 100 * 86_400_000);
  utimesSync(it.path('.troupe/runs/driven/journal.jsonl'), monthsAgo, monthsAgo);
  expect((await it.troupe('rm', '--older-than', '30d')).stdout).toBe('no run matches; nothing was removed\n');
  expect((await it.troupe('rm', '--older-than', '30d', '--status', 'damaged')).stdout).toBe('removed driven\n');
});

test('rm --older-than goes by the segment that was written last', async () => {
  const it = project();
  const store = fileStore({ dir: it.path('.troupe'), segmentBytesMax: 1 });
  const journal = await store.open('long', { create: true });
  const { epoch } = await journal.lease();
  const data = { process: 'work', input: null, file: 'work.process.mjs' };
  await journal.append('run', 0, epoch, [{ type: 'run.created', at: Date.now(), data }]);
  await journal.close();
  const [first, second] = ['journal.jsonl', 'journal-000002.jsonl'].map((file) => it.path(`.troupe/runs/long/${file}`));
  const monthsAgo = new Date(Date.now() - 100 * 86_400_000);
  const remove = () => it.troupe('rm', '--status', 'active', '--older-than', '30d');

  utimesSync(first ?? '', monthsAgo, monthsAgo);
  expect((await remove()).stdout).toBe('no run matches; nothing was removed\n');
  utimesSync(second ?? '', monthsAgo, monthsAgo);
  expect((await remove()).stdout).toBe('removed long\n');
});

test('rm --status damaged leaves alone what a newer troupe wrote, unless it is named', async () => {
  const it = project();
  for (const run of ['broken', 'newer']) mkdirSync(it.path(`.troupe/runs/${run}`), { recursive: true });
  it.write('.troupe/runs/broken/journal.jsonl', 'nonsense\n');
  const header = { troupe: 'journal', format: 99, run: 'newer', segment: 1, engine: 'troupe', at: 0, epoch: 0 };
  it.write('.troupe/runs/newer/journal.jsonl', encodeObject(header));

  expect((await it.troupe('rm', '--status', 'damaged')).stdout).toBe('removed broken\n');
  expect((await it.troupe('rm', 'newer')).stdout).toBe('removed newer\n');
});

test('archive and restore: a run in one file, and back as it was', async () => {
  const it = await worked('a', 'b');
  const { stdout: before } = await it.troupe('log', 'r1', '--json');
  const archived = await it.troupe('archive', 'r1', '--remove');
  expect(archived).toMatchObject({ code: 0, stderr: '' });
  expect(archived.stdout).toMatch(
    /^run r1 · archived in r1\.tar\.gz \(\d+ files, \d+ kB\), and removed\n\n {2}npx troupe restore r1\.tar\.gz\n$/,
  );
  expect(await it.troupe('show', 'r1')).toMatchObject({ code: 7 });
  expect(await it.troupe('restore', 'r1.tar.gz')).toMatchObject({
    code: 0,
    stdout: 'run r1 · restored\n\n  npx troupe show r1\n',
  });
  expect((await it.troupe('log', 'r1', '--json')).stdout).toBe(before);
  expect(await it.troupe('verify', 'r1')).toMatchObject({ code: 0 });
  expect(await it.troupe('restore', 'r1.tar.gz')).toMatchObject({ code: 2 });
  expect(await it.troupe('archive', 'r1')).toMatchObject({ code: 2 });
  expect(lastJson(await it.troupe('archive', 'r1', '--out', 'other.tar.gz', '--json'))).toMatchObject({
    run: 'r1',
    file: it.path('other.tar.gz'),
    removed: false,
  });
  expect(await it.troupe('restore', 'missing.tar.gz')).toMatchObject({ code: 2 });
  it.write('torn.tar.gz', 'nothing');
  expect(await it.troupe('restore', 'torn.tar.gz')).toMatchObject({ code: 4 });
});
