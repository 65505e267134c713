/** What a host that died left running is found by its mark, and nothing else. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, expect, test } from 'vitest';
import { command, type Attempt } from '../../src/harness/index.ts';
import { isAlive, marked, nothingIsLeft, runId, shAt, temporaryFolder, until } from './support.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());
afterEach(nothingIsLeft);

const harness = command();

/** What a host that died leaves: processes with a mark, of a host that is not there. */
const orphan = (attempt: Pick<Attempt, 'key'>, host: string, script = 'exec sleep 60') =>
  spawn('setsid', ['-f', 'sh', '-c', script], {
    env: { ...process.env, TROUPE_ATTEMPT: attempt.key, TROUPE_HOST: host },
    stdio: 'ignore',
  });
const deadHost = '4194305-1';

test('a sweep ends what a dead host left of this key, and of no other', async () => {
  const base = shAt('').key;
  const keys = [base, `${base}1`, `x${base}`, base.slice(0, -1)];
  for (const key of keys) orphan({ key }, deadHost, `trap '' TERM; sleep 60; sleep 60`);
  const marks = () => keys.map((key) => marked(`${key}\0`).length);
  await until(() => marks().every((count) => count === 2));
  await harness.sweep?.(base);
  expect(marks()).toEqual([0, 2, 2, 2]);
  for (const key of keys) await harness.sweep?.(key);
  expect(marks()).toEqual([0, 0, 0, 0]);
});

test('a sweep leaves alone what another living host performs, even under the same key', async () => {
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
  try {
    const stat = readFileSync(`/proc/${other.pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    const attempt = shAt('');
    orphan(attempt, `${other.pid}-${stat[19]}`);
    await until(() => marked(attempt.key).length === 1);
    await harness.sweep?.(attempt.key);
    expect(marked(attempt.key)).toHaveLength(1);
    other.kill('SIGKILL');
    await until(() => !isAlive(other.pid ?? 0));
    await harness.sweep?.(attempt.key);
    expect(marked(attempt.key)).toEqual([]);
  } finally {
    other.kill('SIGKILL');
  }
});

test('of two attempts of one key in this process, of runs in two stores, each ends only what is its own', async () => {
  const key = shAt('').key;
  // Each leaves one behind that is out of its group, and waits until something is written into its pipe.
  const pipes = ['first', 'second'].map((name) => folder.at(name));
  execFileSync('mkfifo', pipes);
  const ends = pipes.map((pipe) =>
    harness.perform(shAt(`setsid sleep 60 & read word < '${pipe}'; echo "$word"`, {}, { key })),
  );
  await until(() => marked(key).length === 4);
  for (const [index, pipe] of pipes.entries()) {
    expect(marked(key)).toHaveLength(4 - 2 * index);
    writeFileSync(pipe, 'on\n');
    expect(await ends[index]).toMatchObject({ status: 'ok', output: { stdout: 'on\n' } });
    await harness.sweep?.(key);
  }
  expect(marked(key)).toEqual([]);
});

test('an attempt that its run has left is swept, though this process performs it still', async () => {
  const attempt = shAt(`trap '' INT; sleep 60; sleep 60`, {}, {});
  const ended = harness.perform(attempt);
  await until(() => marked(attempt.key).length === 2);
  attempt.abort('left');
  await harness.sweep?.(attempt.key);
  expect(marked(attempt.key)).toEqual([]);
  expect((await ended).status).toBe('cancelled');
});

test('a sweep with nothing to find is quick and quiet', async () => {
  await expect(harness.sweep?.(`${runId}/nobody`)).resolves.toBeUndefined();
});

test('a host inside an attempt is ended with what it started itself', async () => {
  const outer = shAt('');
  const host = JSON.stringify(new URL('../../src/harness/index.ts', import.meta.url).href);
  const script = `const { command } = await import(${host});
    const attempt = { run: 'inner', group: 'g', member: 'm', attempt: 1, key: '${runId}/inner', signal: new AbortController().signal,
      invocation: { command: ['setsid', 'sh', '-c', 'trap "" INT TERM; echo ready; sleep 60; sleep 60'] }, outputFile: undefined, progress: ({ line }) => console.log(line) };
    process.on('SIGINT', () => {}); process.on('SIGTERM', () => process.kill(process.pid, 'SIGKILL'));
    await command().perform(attempt);`;
  const attempt = {
    ...outer,
    invocation: { command: [process.execPath, '--import', 'tsx', '--input-type=module', '-e', script] },
  };
  const ended = harness.perform(attempt);
  await until(() => outer.lines.includes('ready'));
  expect(marked(`${runId}/inner`).length).toBeGreaterThan(0);
  outer.abort('enough');
  expect((await ended).status).toBe('cancelled');
  expect(marked(`${runId}/inner`)).toEqual([]);
});

test('what a host that was killed left running is ended by a sweep, and only then', async () => {
  const url = JSON.stringify(new URL('../../src/harness/index.ts', import.meta.url).href);
  const key = `${runId}/killed`;
  const script = `const { command } = await import(${url});
    await command().perform({ run: 'r', group: 'g', member: 'm', attempt: 1, key: '${key}', signal: new AbortController().signal, outputFile: undefined, progress: () => {},
      invocation: { command: ['sh', '-c', 'setsid sleep 60 >/dev/null & sleep 61 >/dev/null & exec sleep 62'] } });`;
  const host = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: 'ignore' });
  await until(() => marked(key).length === 3);
  await harness.sweep?.(key);
  expect(marked(key)).toHaveLength(3);
  host.kill('SIGKILL');
  await once(host, 'exit');
  expect(marked(key)).toHaveLength(3);
  await harness.sweep?.(key);
  expect(marked(key)).toEqual([]);
});

test('a host that exits takes its programs with it', async () => {
  const url = JSON.stringify(new URL('../../src/harness/index.ts', import.meta.url).href);
  const script = `const { command } = await import(${url});
    const attempt = { run: 'r', group: 'g', member: 'm', attempt: 1, key: '${runId}/exits', signal: new AbortController().signal,
      invocation: { command: ['sh', '-c', 'trap "" INT TERM HUP; echo ready; sleep 60; sleep 60'] }, outputFile: undefined, progress: () => process.exit(7) };
    void command().perform(attempt);`;
  const host = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: 'ignore' });
  const [exitCode] = (await once(host, 'exit')) as [number];
  expect(exitCode).toBe(7);
  await until(() => marked(`${runId}/exits`).length === 0);
});
