/** Nothing of an attempt outlives it, whether it ends by itself or is cancelled. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, expect, test } from 'vitest';
import { command } from '../../src/harness/index.ts';
import {
  errorOf,
  isAlive,
  marked,
  nodeAt,
  nothingIsLeft,
  outputOf,
  shAt,
  temporaryFolder,
  until,
  type TestAttempt,
} from './support.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());
afterEach(nothingIsLeft);

const harness = command({ graceMs: { interrupt: 150, terminate: 150 } });
/** For what is to come of a signal: a busy machine is slow to deliver it. */
const patient = command({ graceMs: { interrupt: 20_000, terminate: 20_000 } });
let files = 0;
const newFile = () => folder.at(`pid-${(files += 1)}`);
const pidIn = async (file: string) => {
  await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'));
  return Number(readFileSync(file, 'utf8'));
};
/** Starts an attempt and waits until it says `ready`. */
const started = async (attempt: TestAttempt, by = harness) => {
  const ended = by.perform(attempt);
  await until(() => attempt.lines.includes('ready'));
  return { ended };
};

test('a command aborted before its start is not started', async () => {
  const file = newFile();
  const attempt = shAt(`echo $$ > ${file}`);
  attempt.abort('not needed');
  expect(await harness.perform(attempt)).toEqual({ status: 'cancelled', reason: 'not needed' });
  expect(existsSync(file)).toBe(false);
});

test('a command aborted while it is being started is cancelled', async () => {
  const attempt = shAt('sleep 60');
  const ended = harness.perform(attempt);
  attempt.abort('changed my mind');
  expect(await ended).toEqual({ status: 'cancelled', reason: 'changed my mind' });
});

test('a cancel begins with SIGINT, and is a cancel whatever the exit code', async () => {
  const file = newFile();
  const attempt = nodeAt(
    `process.on('SIGINT', () => { require('fs').writeFileSync(${JSON.stringify(file)}, 'SIGINT'); process.exit(0) }); setInterval(() => {}, 1e6); console.log('ready')`,
  );
  const { ended } = await started(attempt, patient);
  attempt.abort('enough');
  attempt.abort('enough again');
  expect(await ended).toEqual({ status: 'cancelled', reason: 'enough' });
  expect(readFileSync(file, 'utf8')).toBe('SIGINT');
});

test('a command that ignores SIGINT gets SIGTERM', async () => {
  const file = newFile();
  const attempt = nodeAt(
    `process.on('SIGINT', () => {}); process.on('SIGTERM', () => { require('fs').writeFileSync(${JSON.stringify(file)}, 'SIGTERM'); process.exit(0) }); setInterval(() => {}, 1e6); console.log('ready')`,
  );
  const { ended } = await started(attempt, command({ graceMs: { interrupt: 50, terminate: 20_000 } }));
  attempt.abort('enough');
  expect((await ended).status).toBe('cancelled');
  expect(readFileSync(file, 'utf8')).toBe('SIGTERM');
});

test('a command that ignores both is killed, with its children', async () => {
  const attempt = shAt(`trap '' INT TERM; sh -c 'sleep 61; sleep 62' & sleep 63 & echo ready; wait; sleep 64`);
  const { ended } = await started(attempt);
  await until(() => marked(attempt.key).length === 4);
  attempt.abort('enough');
  expect(await ended).toEqual({ status: 'cancelled', reason: 'enough' });
  expect(marked(attempt.key)).toEqual([]);
});

test('a stopped command can be cancelled', async () => {
  const attempt = shAt('echo ready; kill -STOP $$; sleep 60');
  const { ended } = await started(attempt);
  attempt.abort('enough');
  expect((await ended).status).toBe('cancelled');
});

test('a command may tidy up when it is interrupted: what it starts then is not interrupted', async () => {
  const file = newFile();
  const attempt = shAt(`trap 'sleep 0.1; echo $$ > ${file}; exit 1' INT; echo ready; while :; do sleep 0.01; done`);
  const { ended } = await started(attempt, patient);
  attempt.abort('enough');
  expect((await ended).status).toBe('cancelled');
  expect(await pidIn(file)).toBeGreaterThan(0);
});

test('a cancel reaches a grandchild that left the group, the session and its parent', async () => {
  const file = newFile();
  const attempt = shAt(
    `(setsid sh -c 'trap "" INT TERM; echo $$ > ${file}; sleep 60' >/dev/null 2>&1 &); sleep 0; echo ready; sleep 60`,
  );
  const { ended } = await started(attempt);
  const grandchild = await pidIn(file);
  expect(isAlive(grandchild)).toBe(true);
  attempt.abort('enough');
  await ended;
  expect(isAlive(grandchild)).toBe(false);
});

test('what a command leaves behind when it ends by itself is ended too', async () => {
  const file = newFile();
  const attempt = shAt(
    `setsid sh -c 'echo $$ > ${file}; exec sleep 60' >/dev/null 2>&1 </dev/null & while [ ! -s ${file} ]; do :; done; sleep 61 >/dev/null 2>&1 & echo done`,
  );
  expect(outputOf(await harness.perform(attempt))['stdout']).toBe('done\n');
  expect(isAlive(await pidIn(file))).toBe(false);
  expect(marked(attempt.key)).toEqual([]);
});

test('what is just being started when its command ends does not slip through', async () => {
  const scripts = [
    'setsid sleep 60 >/dev/null 2>&1 &',
    '(setsid sh -c "(sleep 60 &)" &) >/dev/null 2>&1',
    'setsid -f sleep 60 >/dev/null 2>&1',
  ];
  for (let round = 0; round < 8; round += 1) {
    await Promise.all(scripts.map((script) => harness.perform(shAt(script))));
    expect(marked()).toEqual([]);
  }
});

test('a grandchild that holds the output open does not hold up the outcome', async () => {
  const before = performance.now();
  const outcome = await harness.perform(shAt('setsid sleep 60 & echo done'));
  expect(outputOf(outcome)['stdout']).toBe('done\n');
  expect(performance.now() - before).toBeLessThan(10_000);
});

test('one that never stops writing is ended', async () => {
  expect(outputOf(await harness.perform(shAt('setsid yes & exit 0')))).toMatchObject({ exitCode: 0, truncated: true });
});

test('one that holds the output and cannot be found does not hold up the outcome either', async () => {
  const file = newFile();
  const attempt = shAt(
    `setsid env -i sh -c 'echo $$ > ${file}; exec sleep 60' & while [ ! -s ${file} ]; do :; done; echo done`,
  );
  expect(outputOf(await harness.perform(attempt))['stdout']).toBe('done\n');
  process.kill(await pidIn(file), 'SIGKILL');
});

test('a child in the group is found even without its environment', async () => {
  const file = newFile();
  const attempt = shAt(
    `env -i sh -c 'echo $$ > ${file}; exec sleep 60' >/dev/null 2>&1 & while [ ! -s ${file} ]; do :; done; exit 1`,
  );
  expect(errorOf(await harness.perform(attempt)).code).toBe('EXIT_1');
  expect(isAlive(await pidIn(file))).toBe(false);
});

test('what was written just before the end, and after a cancel, is kept', async () => {
  const outputFile = newFile();
  const attempt = shAt(`trap 'echo bye; exit 0' INT; echo ready; while :; do sleep 0.01; done`, {}, { outputFile });
  const { ended } = await started(attempt, patient);
  attempt.abort('enough');
  await ended;
  expect(readFileSync(outputFile, 'utf8')).toBe('ready\nbye\n');
});

test('all that a command writes when it is cancelled is kept', async () => {
  const outputFile = newFile();
  const script = `process.on('SIGINT', () => process.stdout.write('x'.repeat(8e6), () => process.exit(0))); setInterval(() => {}, 1e6); console.log('ready')`;
  const attempt = nodeAt(script, {}, { outputFile });
  const { ended } = await started(attempt, patient);
  attempt.abort('enough');
  await ended;
  expect(readFileSync(outputFile, 'utf8')).toHaveLength(8e6 + 'ready\n'.length);
});

test('a slow disk loses nothing of what a command wrote, cancelled or not', async () => {
  for (const isCancelled of [false, true]) {
    const [outputFile, file] = [newFile(), newFile()];
    execFileSync('mkfifo', [outputFile]);
    const last = isCancelled ? 'kill -STOP $$' : 'exit 0';
    const attempt = shAt(`head -c 100000 /dev/zero; echo $$ > ${file}; ${last}`, {}, { outputFile });
    const ended = harness.perform(attempt);
    const pid = await pidIn(file);
    if (isCancelled) attempt.abort('enough');
    await until(() => !isAlive(pid));
    const later = performance.now() + 600;
    await until(() => performance.now() > later);
    expect(await readFile(outputFile)).toHaveLength(100_000);
    await ended;
  }
});

test('who still writes to the output when the command ends may finish, while it does so', async () => {
  const attempt = shAt('(yes | head -c 30000000; echo late) & echo now');
  expect(outputOf(await harness.perform(attempt))['stdout']).toMatch(/late\n$/);
});
