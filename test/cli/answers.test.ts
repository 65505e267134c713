/** Answers that reach the host of a run by letter, and hosts that end while they are told of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineProcess, openRun, type Process, type Run } from 'troupe';
import { escalation, pipeline, withMachines } from 'troupe/machines';
import { expect, onTestFinished, test, vi } from 'vitest';
import { dataFolder, type DataFolder } from '../../src/cli/data-folder.ts';
import { answerRun } from '../../src/cli/deeds.ts';
import { knownRun } from '../../src/cli/known-run.ts';
import { answerUnattended, openGatesOf } from '../../src/process/unattended.ts';
import { fileRequests, type FileRequests } from '../../src/process/file-requests.ts';
import { memoryStore } from '../../src/journal/memory.ts';
import { asking as coordinator } from '../support/asking.ts';
import { entriesOf } from '../support/dying-store.ts';
import { patience } from './support.ts';

const asks = defineProcess('asks', async (ctx) => await ctx.breakpoint('ship', { question: 'Ship it?' }));

/** Asks again, at the same gate, until it is told yes. */
const asksAgain = defineProcess('asks again', async (ctx) => await ctx.group('group', coordinator, undefined).output);

/** A run that waits at its gate; its host removes letters as `removing` says, and takes the first when there are `least`. */
async function asking(
  removing: (letters: FileRequests, id: string) => Promise<void>,
  process: Process<never, unknown> = asks as Process<never, unknown>,
  least = 1,
): Promise<{ readonly data: DataFolder; readonly run: Run; readonly letters: FileRequests }> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-answers-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const data = dataFolder(folder);
  const letters = fileRequests(data.requests('r1'));
  let takes = false;
  const list = async () => {
    const all = await letters.list();
    takes ||= all.length >= least;
    return takes ? all : [];
  };
  const requests = { list, remove: (id: string) => removing(letters, id) };
  const run = await openRun({ store: data.store, process, run: 'r1', input: null, harnesses: {}, requests });
  void run.drive();
  await expect.poll(async () => openGatesOf((await knownRun(data.store, 'r1')).view).length, patience).toBe(1);
  return { data, run, letters };
}

test('an answer that was recorded by a host that died before it removed the letter is no answer too late', async () => {
  const { data, run } = await asking(() => Promise.resolve());
  const answering = answerRun(data, 'r1', { gate: 'ship', approved: true, note: 'now' });
  expect(await run.drive()).toEqual({ status: 'completed', output: { approved: true, note: 'now' } });
  await run.close();
  expect((await answering).asked.by).toBe('alone');
  // Another one is.
  await expect(answerRun(data, 'r1', { gate: 'ship', approved: false, note: '' })).rejects.toThrow('UNKNOWN_GATE');
});

test('the gate of a nested machine is answered by letter, and without a host', async () => {
  const gate = (id: string) => ({
    id,
    machine: 'escalation',
    input: { levels: [{ id: 'ship', gate: { question: 'Ship it?' } }] },
  });
  const nested = defineProcess('nested', async (ctx) => {
    const steps = [gate('first'), gate('second')];
    const { output } = await ctx.group('group', withMachines(pipeline, { escalation }), { steps }).output;
    return output;
  }) as Process<never, unknown>;
  const { data, run } = await asking((letters, id) => letters.remove(id), nested);
  const { gate: first, asked } = await answerRun(data, 'r1', { gate: 'first/ship', approved: true, note: '' });
  expect([first.by, asked.by]).toEqual(['first', 'host']);
  const open = async () => openGatesOf((await knownRun(data.store, 'r1')).view).map(({ name }) => name);
  await expect.poll(open, patience).toEqual(['second/ship']);
  await run.stop('for now');
  await run.close();
  const alone = await answerRun(data, 'r1', { gate: 'second/ship', approved: false, note: 'no' });
  expect(alone.asked.by).toBe('alone');
  const again = await openRun({ store: data.store, process: nested, run: 'r1', input: null, harnesses: {} });
  expect(await again.drive()).toMatchObject({ output: { accepted: false, note: 'no' } });
  await again.close();
});

test('two answers to one question at once are one: the other is not taken for an answer to the next question', async () => {
  const { data, run } = await asking((letters, id) => letters.remove(id), asksAgain as Process<never, unknown>, 2);
  const answers = ['one', 'other'].map((note) => answerRun(data, 'r1', { gate: 'ship', approved: false, note }));
  const [refused, ...others] = (await Promise.allSettled(answers)).filter(({ status }) => status === 'rejected');
  expect([refused, others]).toMatchObject([{ reason: { code: 'UNKNOWN_GATE' } }, []]);
  const types = (await entriesOf(data.store, 'r1')).map(({ type }) => type);
  expect(types.filter((type) => type === 'gate.answered')).toHaveLength(1);
  expect(openGatesOf((await knownRun(data.store, 'r1')).view)).toHaveLength(1);
  await run.cancel('enough');
  await run.close();
});

test('a letter that is found again answers no other question than the first time', async () => {
  const { data, run, letters } = await asking(() => Promise.resolve(), asksAgain as Process<never, unknown>);
  const [gate] = openGatesOf((await knownRun(data.store, 'r1')).view);
  const answer = { group: 'group', gate: 'ship', opening: gate?.opening ?? '', approved: false, note: '' };
  await letters.post({ type: 'answer', ...answer });
  const count = async (type: string) => (await entriesOf(data.store, 'r1')).filter((one) => one.type === type).length;
  await expect.poll(() => count('request.refused'), patience).toBeGreaterThan(0);
  expect(await count('gate.answered')).toBe(1);
  await run.stop('for now');
  await run.close();
  await expect(answerUnattended({ store: data.store, run: 'r1', answer })).rejects.toThrow(
    'UNKNOWN_GATE: gate `ship` of run r1 was opened again since',
  );
});

test('a host removes the letter that ended its run before it is gone', async () => {
  let remove = () => {};
  const mayRemove = new Promise<void>((resolve) => (remove = resolve));
  const { data, run, letters } = await asking(async (all, id) => {
    await mayRemove;
    await all.remove(id);
  });
  const answering = answerRun(data, 'r1', { gate: 'ship', approved: true, note: '' });
  await run.drive();
  let isClosed = false;
  const closing = run.close().then(() => (isClosed = true));
  // Its lease is free by now.
  const journal = await data.store.open('r1');
  await expect.poll(async () => await journal.lease().then(() => true), patience).toBe(true);
  await journal.close();
  expect(isClosed).toBe(false);
  remove();
  await closing;
  expect(await letters.list()).toEqual([]);
  expect((await answering).asked.by).toBe('host');
});

/** Sets the machine's time by so many ms until the test is over; what waits is not told. */
function setTime(byMs: number): void {
  const now = Date.now.bind(Date);
  const moved = vi.spyOn(Date, 'now').mockImplementation(() => now() + byMs);
  onTestFinished(() => moved.mockRestore());
}

test('a host whose machine’s time is set back still takes answers', async () => {
  const { data, run } = await asking((letters, id) => letters.remove(id));
  setTime(-3_600_000);
  await answerRun(data, 'r1', { gate: 'ship', approved: true, note: '' });
  expect(await run.drive()).toEqual({ status: 'completed', output: { approved: true, note: '' } });
  await run.close();
});

test('a host whose machine’s time is set forward, or that slept, is not late by as much', async () => {
  const sleeps = defineProcess('sleeps', async (ctx) => await ctx.sleepUntil(ctx.now() + 3_600_000));
  const requests = { list: () => Promise.resolve([]), remove: () => Promise.resolve() };
  const run = await openRun({ store: memoryStore(), process: sleeps, run: 'r1', input: null, harnesses: {}, requests });
  const end = run.drive();
  setTime(3_600_000);
  expect(await end).toMatchObject({ status: 'completed' });
  await run.close();
});
