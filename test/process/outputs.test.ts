/** Outputs checked by schemas, on their way from a harness to the journal. */
import { describe, expect, test } from 'vitest';
import { defineProcess, iterate, verifyRun, type Invocation, type OutputSchema, type RunOptions } from 'troupe';
import { ok } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { entriesOf } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { orchestrator, waits } from '../support/orchestrator.ts';
import { calling, driven, finished, killed, stage, tell } from '../support/running.ts';

const schema = (validate: OutputSchema['~standard']['validate']): OutputSchema => ({
  '~standard': { version: 1, vendor: 'test', validate },
});
const isNumber = schema((value) =>
  typeof value === 'number' ? { value } : { issues: [{ message: 'expected a number' }] },
);
const doubled = schema(async (value) => ({ value: { doubled: Number(value) * 2 } }));

const schemas = {
  isNumber,
  doubled,
  large: schema(() => ({ value: 'x'.repeat(5_000) })),
  broken: schema(() => {
    throw new Error('oops');
  }),
};
const one = (invocation: Invocation, script: Parameters<typeof stage>[1], more: Partial<RunOptions> = {}) =>
  stage(calling({ members: [{ id: 'a', ...invocation }], until: 1 }), script, { schemas, ...more });

const heard = async (play: ReturnType<typeof one>) =>
  ((await finished(play)) as unknown as { output: readonly unknown[] }).output[0];

describe('an output', () => {
  test('that meets its schema counts, as the schema gives it back', async () => {
    expect(await heard(one({ output: 'isNumber' }, { '*': ok(2) }))).toEqual(['xstate.done.actor.a', 2]);
    expect(await heard(one({ output: 'doubled' }, { '*': ok(2) }))).toEqual(['xstate.done.actor.a', { doubled: 4 }]);
  });

  test.each([
    ['does not meet it', 'isNumber', 'SCHEMA'],
    ['breaks it', 'broken', 'SCHEMA'],
    ['becomes too large by it', 'large', 'ENTRY_TOO_LARGE'],
  ])('that %s is a failure of class invalid-output', async (_what, output, code) => {
    const play = one({ output }, { '*': ok('two') }, { payloadBytesMax: 1_000 });
    expect(await heard(play)).toEqual(['xstate.error.actor.a', code]);
    const settled = (await entriesOf(play.store)).find(({ type }) => type === 'member.settled');
    expect(settled?.data).toMatchObject({ outcome: { class: 'invalid-output' } });
  });

  test('is asked for again when the policy says so', async () => {
    const play = one(
      { output: 'isNumber', retry: { attempts: 3, on: ['invalid-output'] } },
      { '*': [ok('two'), ok('two'), ok(2)] },
    );
    expect(await heard(play)).toEqual(['xstate.done.actor.a', 2]);
    expect(play.harness.calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  test('is asked of somebody else when the chain says so', async () => {
    const careful = { perform: async () => ok(7) };
    const play = one({ output: 'isNumber', fallback: { 'invalid-output': ['careful'] } }, { '*': ok('two') });
    const both = { ...play, options: { ...play.options, harnesses: { scripted: play.harness, careful } } };
    expect(await heard(both)).toEqual(['xstate.done.actor.a', 7]);
  });
});

test('a schema that says more than a journal takes stops no run', async () => {
  const wordy = schema(() => ({ issues: [{ message: 'x'.repeat(9_000_000) }] }));
  expect(await heard(one({ output: 'wordy' }, { '*': ok(2) }, { schemas: { wordy } }))).toEqual([
    'xstate.error.actor.a',
    'SCHEMA',
  ]);
});

test('a schema that the run does not have is refused before anything is spent', async () => {
  const play = one({ output: 'isNunber' }, { '*': ok(2) });
  expect(await heard(play)).toEqual(['xstate.error.actor.a', 'BAD_INPUT']);
  expect(play.harness.calls).toEqual([]);
});

test('wherever the host dies, the output is the checked one', async () => {
  for (let atAppend = 1; ; atAppend += 1) {
    const play = one({ output: 'doubled' }, { '*': ok(2) });
    const end = await killed(play, { atAppend, isWritten: false });
    expect(end ?? (await finished(play))).toMatchObject({ output: [['xstate.done.actor.a', { doubled: 4 }]] });
    if (end !== undefined) return;
  }
});

test('one that is still being checked when its member is stopped is a dead letter, and what it cost counts', async () => {
  let pass: () => void = () => {};
  const slow = schema((value) => new Promise((resolve) => (pass = () => resolve({ value }))));
  const script = { '*': { ...ok(7), usage: { tokens: 100 } } };
  const play = stage(calling({ members: [{ id: 'a', output: 'slow' }] }), script, { schemas: { slow } });
  const { run } = await driven(play);
  await tell(run, 'stop', { id: 'a' });
  pass();
  await settle();
  await run.close();
  expect((await entriesOf(play.store)).slice(-2)).toMatchObject([
    { type: 'attempt.cancelled', data: { member: 'a', usage: { tokens: 100 } } },
    { type: 'letter.dead', data: { from: 'a', letter: 7 } },
  ]);
});

test('what an outside orchestrator settles is waited for no more, however long its check takes', async () => {
  const slow = schema(async (value) => {
    await settle();
    return { value };
  });
  const members = [
    { id: 'a', output: 'slow' },
    { id: 'b', output: 'slow' },
  ];
  const { options } = orchestrator(
    defineProcess('p', async (ctx) => (await ctx.group('g', fanOut, { members, concurrency: 1 }).output).results),
  );
  const pass = async (...settled: readonly string[]) =>
    waits(
      await iterate({
        ...options,
        schemas: { slow },
        settlements: settled.map((member) => ({ group: 'g', member, outcome: ok(member) })),
      }),
    );
  expect(await pass()).toEqual(['member g a']);
  expect(await pass('a')).toEqual(['member g b']);
  expect(await pass('b')).toMatchObject({ status: 'completed', output: [{ output: 'a' }, { output: 'b' }] });
});

test('a group whose output no journal takes fails, and the run goes on: it could never have ended', async () => {
  const members = Array.from({ length: 9 }, (_, index) => ({ id: `m${index}` }));
  const process = defineProcess('large', async (ctx) => {
    const group = ctx.group('group', fanOut, { members });
    return await group.output.then(
      () => 'completed',
      (error: unknown) => String(error),
    );
  });
  const play = stage(process, { '*': ok('x'.repeat(900_000)) });
  expect(await finished(play)).toMatchObject({
    status: 'completed',
    output: expect.stringMatching(
      /GROUP_FAILED.*output of the group: 8\d{6} bytes are over the bound `outputBytesMax` of 7340032/,
    ),
  });
  await verifyRun({ store: play.store, run: 'run', process });
});
