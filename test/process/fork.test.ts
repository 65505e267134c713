/** A fork goes on from any position: what had settled is not done again, what is under way elsewhere is left alone. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { defineProcess, forkRun, openRun, verifyRun, type Entry, type RunResult } from 'troupe';
import { command, hold, ok } from 'troupe/harness';
import { fileStore } from 'troupe/journal';
import { fanOut } from 'troupe/machines';
import { entriesOf } from '../support/dying-store.ts';
import { passing, settle } from '../support/hand-clock.ts';
import { part, perform, script } from '../support/processes.ts';
import { driven, finished, open, stage } from '../support/running.ts';

/** Without the stack, which is no part of how a run ends. */
function endOf(end: RunResult): unknown {
  return end.status === 'failed' ? { status: 'failed', message: end.error.message } : end;
}

/** `<group>/<member>#<incarnation>` of all that has settled in these entries. */
function settledIn(entries: readonly Entry[]): ReadonlySet<string> {
  const settled = entries.filter(({ type }) => type === 'member.settled');
  return new Set(
    settled.map(({ stream, data }) => {
      const { member, incarnation } = data as { readonly member: string; readonly incarnation: number };
      return `${stream.slice('group:'.length)}/${member}#${incarnation}`;
    }),
  );
}

const withoutAttempt = (key: string) => key.slice(key.indexOf('/') + 1, key.lastIndexOf('/'));

test('a fork at any position of a run ends as the run did, and performs nothing that had settled before', async () => {
  await fc.assert(
    fc.asyncProperty(part, async (body) => {
      const process = defineProcess('random', (ctx) => perform(ctx, body, 'part', () => {}));
      const origin = stage(process, script);
      const end = endOf(await finished(origin));
      const entries = await entriesOf(origin.store);
      const before = origin.harness.calls.length;
      let forks = 0;
      for (let at = 1; at <= entries.length; at += 1) {
        const as = `fork-${at}`;
        const fork = await forkRun({ store: origin.store, from: 'run', at, as }).catch(() => undefined);
        // Inside the first append there is nothing to fork.
        if (fork === undefined) continue;
        forks += 1;
        expect((await entriesOf(origin.store, as)).length).toBe(fork.entries);
        expect(endOf(await finished(origin, { run: as }))).toEqual(end);
        const calls = origin.harness.calls.filter(({ run }) => run === as);
        const settled = settledIn(entries.slice(0, fork.entries));
        expect(calls.map(({ key }) => withoutAttempt(key)).filter((one) => settled.has(one))).toEqual([]);
        await verifyRun({ store: origin.store, run: as, process });
      }
      expect(forks).toBeGreaterThan(entries.length / 2);
      expect(origin.harness.calls.slice(before).filter(({ run }) => run === 'run')).toEqual([]);
      expect(origin.harness.swept.filter((key) => key.startsWith('run/'))).toEqual([]);
      expect(await entriesOf(origin.store)).toEqual(entries);
    }),
    { numRuns: 25 },
  );
});

const reviewers = defineProcess(
  'review',
  (ctx) =>
    ctx.group('review', fanOut, { members: ['a', 'b', 'c'].map((id) => ({ id, prompt: id })), concurrency: 3 }).output,
);

test('a run is forked beside its living host: the fork does again what is under way, and sweeps nothing of the run', async () => {
  const here = stage(reviewers, { '*': hold });
  const { run, end } = await driven(here);
  here.harness.settle('a', ok('first'));
  await settle();
  const { length } = await entriesOf(here.store);
  expect(await forkRun({ store: here.store, from: 'run', at: length })).toMatchObject({
    as: 'run-fork-1',
    entries: length,
  });
  expect((await entriesOf(here.store, 'run-fork-1')).length).toBe(length);
  const fork = await open(here, { run: 'run-fork-1' });
  const forkEnd = passing(here.clock, fork.drive());
  await here.harness.asked({ member: 'c', count: 2 });
  await settle();
  expect(
    here.harness
      .open()
      .map(({ run: of, member, attempt }) => `${of} ${member} ${attempt}`)
      .toSorted(),
  ).toEqual(['run b 1', 'run c 1', 'run-fork-1 b 2', 'run-fork-1 c 2']);
  expect(here.harness.swept.every((key) => key.startsWith('run-fork-1/'))).toBe(true);
  // The oldest open ones are the run's own; it goes on as if nothing had happened.
  for (const member of ['b', 'c', 'b', 'c']) {
    here.harness.settle(member, ok(`${member} of ${here.harness.open().find((call) => call.member === member)?.run}`));
  }
  const resultsOf = (result: RunResult) =>
    result.status === 'completed'
      ? (result.output as { results: { output: string }[] }).results.map(({ output }) => output).toSorted()
      : result;
  expect(resultsOf(await end)).toEqual(['b of run', 'c of run', 'first']);
  expect(resultsOf(await forkEnd)).toEqual(['b of run-fork-1', 'c of run-fork-1', 'first']);
  await run.close();
  await fork.close();
});

test("a fork beside real commands ends none of the origin's processes, and has its outputs for itself", async () => {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-fork-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  const store = fileStore({ dir });
  const held = `process.stdout.write('begun\\n'); const look = () => require('node:fs').existsSync(${JSON.stringify(join(dir, 'go'))}) ? console.log(process.env.TROUPE_RUN) : setTimeout(look, 20); look();`;
  const process = defineProcess('held', (ctx) =>
    ctx.task('task', { command: [globalThis.process.execPath, '-e', held], success: { stdoutMatches: 'begun' } }),
  );
  const harnesses = { command: command() };
  const run = await openRun({ store, process, run: 'run', harnesses });
  onTestFinished(() => run.close());
  const end = run.drive();
  const names = async () =>
    (await entriesOf(store)).flatMap(({ data }) => (data as { outputFile?: string }).outputFile ?? []);
  await expect
    .poll(async () => [await names(), readSafely(join(dir, 'runs/run/files', (await names())[0] ?? ''))], {
      timeout: 20_000,
    })
    .toEqual([[expect.any(String)], 'begun\n']);
  const [name = ''] = await names();
  const { length } = await entriesOf(store);
  await forkRun({ store, from: 'run', at: length, as: 'fork' });
  const fork = await openRun({ store, process, run: 'fork', harnesses });
  onTestFinished(() => fork.close());
  const forkEnd = fork.drive();
  await expect
    .poll(async () => (await entriesOf(store, 'fork')).filter(({ type }) => type === 'attempt.started').length, {
      timeout: 20_000,
    })
    .toBe(2);
  writeFileSync(join(dir, 'go'), '');
  expect(await end).toMatchObject({ status: 'completed', output: { stdout: 'begun\nrun\n' } });
  expect(await forkEnd).toMatchObject({ status: 'completed', output: { stdout: 'begun\nfork\n' } });
  await run.close();
  await fork.close();
  await store.remove('run');
  expect(readSafely(join(dir, 'runs/fork/files', name))).toContain('begun\n');
});

function readSafely(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

test('a fork is named after its run, counted on, and refused where there is nothing', async () => {
  const here = stage(reviewers, { '*': ok('fine') });
  await finished(here);
  const { store } = here;
  expect((await forkRun({ store, from: 'run', at: 3 })).as).toBe('run-fork-1');
  expect((await forkRun({ store, from: 'run', at: 3 })).as).toBe('run-fork-2');
  expect((await forkRun({ store, from: 'run-fork-1', at: 2 })).as).toBe('run-fork-3');
  await expect(forkRun({ store, from: 'run', at: 3, as: 'run-fork-1' })).rejects.toMatchObject({ code: 'RUN_EXISTS' });
  await expect(forkRun({ store, from: 'run', at: 0 })).rejects.toThrow(/expected a position from 1 to \d+/);
  await expect(forkRun({ store, from: 'nope', at: 1 })).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
  const { fork: _, ...without } = store;
  await expect(forkRun({ store: without, from: 'run', at: 1 })).rejects.toMatchObject({ code: 'BAD_INPUT' });
});

test('a fork of a run at its end has ended: it performs nothing and gives the same result', async () => {
  const here = stage(reviewers, { '*': ok('fine') });
  const end = await finished(here);
  const { length } = await entriesOf(here.store);
  await forkRun({ store: here.store, from: 'run', at: length, as: 'fork' });
  const { length: calls } = here.harness.calls;
  expect(await finished(here, { run: 'fork' })).toEqual(end);
  expect(here.harness.calls.length).toBe(calls);
});
