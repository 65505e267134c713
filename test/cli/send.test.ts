import { expect, test } from 'vitest';
import { lastJson, project } from './support.ts';

/** Two members that hear until they are told `stop`, in a process that first stops at a breakpoint. */
const talkProcess = `
import { defineProcess } from 'troupe';
import { fn } from 'troupe/harness';
import { fanOut } from 'troupe/machines';

export const harnesses = {
  listener: fn(async (_task, { inbox, progress }) => {
    const heard = [];
    progress('listens');
    for (;;) {
      for (const { type, body, from } of await inbox({ waitMs: 60_000 })) {
        if (type === 'stop') return heard;
        heard.push([from, type, body]);
      }
    }
  }),
};

export default defineProcess('talk', async (ctx) => {
  const group = ctx.group('ears', fanOut, { members: ['src/a.ts', 'src/b.ts'].map((id) => ({ id, harness: 'listener' })) });
  const { results } = await group.output;
  const { approved, note } = await ctx.breakpoint('look', { question: 'Have you looked?' });
  return { approved, note, heard: Object.fromEntries(results.map(({ id, output }) => [id, output])) };
});
`;

const messagesIn = (log: string) => log.split('\n').filter((line) => line.includes('"type":"message"')).length;

test('messages and an answer reach a run that a living host drives: text, JSON, to one, to all, once', async () => {
  const it = project({ 'talk.process.mjs': talkProcess });
  const host = it.start('run', 'talk.process.mjs', '--run-id', 'r1');
  await host.said('started  src/b.ts');
  const sent = await it.troupe('send', 'r1', 'ears', 'src/a.ts', 'hello there', '--id', 'one');
  expect(sent).toMatchObject({ code: 0, stderr: '' });
  expect(sent.stdout).toMatch(
    /^message `message` to src\/a\.ts in group ears is recorded; process \d+ on .+ drives run r1\n$/,
  );
  expect(await it.troupe('send', 'r1', 'ears', 'src/a.ts', 'hello there', '--id', 'one')).toMatchObject({ code: 0 });
  const json = await it.troupe(
    'send',
    'r1',
    'ears',
    'src/b.ts',
    '{"n":1}',
    '--type',
    'figure',
    '--mode',
    'steer',
    '--json',
  );
  expect(lastJson(json)).toMatchObject({
    run: { id: 'r1' },
    message: { group: 'ears', to: 'src/b.ts', type: 'figure' },
    status: 'recorded',
  });

  const unknown = await it.troupe('send', 'r1', 'ears', 'src/c.ts', 'hello');
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toBe(
    'UNKNOWN_MEMBER: group `ears` has no member `src/c.ts`. Members: src/a.ts, src/b.ts. Did you mean `src/a.ts` or `src/b.ts`?\n',
  );
  expect(await it.troupe('send', 'r1', 'eras', 'src/a.ts', 'x')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Did you mean `ears`?'),
  });
  expect(await it.troupe('send', 'r1', 'ears', 'src/a.ts', 'x', '--type', 'xstate.done')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('RESERVED_EVENT'),
  });
  expect(await it.troupe('send', 'nope', 'ears', 'src/a.ts', 'x')).toMatchObject({ code: 7 });

  expect(await it.troupe('send', 'r1', 'ears', '*', '', '--type', 'stop')).toMatchObject({ code: 0 });
  await host.said('waits for approval');
  expect(await it.troupe('approve', 'r1', 'lok')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('open gates: look (the run)'),
  });
  expect(await it.troupe('approve', 'r1', 'look', '--note', 'yes')).toMatchObject({
    code: 0,
    stdout: 'approved: look, “Have you looked?”\n',
  });
  expect(await host.ended).toMatchObject({ code: 0 });
  expect(lastJson(await it.troupe('show', 'r1', '--json'))).toMatchObject({
    run: {
      output: {
        approved: true,
        note: 'yes',
        heard: { 'src/a.ts': [['outside', 'message', 'hello there']], 'src/b.ts': [['outside', 'figure', { n: 1 }]] },
      },
    },
    groups: [{ messages: 4, deadLetters: 0 }],
  });
  expect(await it.troupe('send', 'r1', 'ears', 'src/a.ts', 'x')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('GROUP_ENDED'),
  });
  expect(await it.troupe('verify', 'r1')).toMatchObject({ code: 0 });
});

test('messages to a run that nobody drives are heard by its next host, once', async () => {
  const it = project({ 'talk.process.mjs': talkProcess });
  const host = it.start('run', 'talk.process.mjs', '--run-id', 'r1');
  await host.said('started  src/b.ts');
  host.child.kill('SIGKILL');
  await host.ended;
  const sent = await it.troupe('send', 'r1', 'ears', '*', '[1]', '--id', 'one');
  expect(sent).toMatchObject({
    code: 0,
    stdout:
      'message `message` to * in group ears is recorded; nobody drives run r1: it is heard after npx troupe resume r1\n',
  });
  await it.troupe('send', 'r1', 'ears', '*', '[1]', '--id', 'one');
  expect(await it.troupe('send', 'r1', 'ears', 'src/c.ts', 'x')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Did you mean `src/a.ts` or `src/b.ts`?'),
  });
  expect(messagesIn((await it.troupe('log', 'r1', '--json')).stdout)).toBe(2);
  await it.troupe('send', 'r1', 'ears', '*', '', '--type', 'stop');
  const resumed = it.start('resume', 'r1');
  await resumed.said('waits for approval');
  resumed.child.kill('SIGKILL');
  await resumed.ended;
  expect(await it.troupe('approve', 'r1', 'look', '--reject', '--json')).toMatchObject({ code: 0 });
  expect(await it.troupe('resume', 'r1')).toMatchObject({ code: 0 });
  expect(lastJson(await it.troupe('show', 'r1', '--json'))).toMatchObject({
    run: {
      output: {
        approved: false,
        heard: { 'src/a.ts': [['outside', 'message', [1]]], 'src/b.ts': [['outside', 'message', [1]]] },
      },
    },
    gates: [{ name: 'look', answer: { approved: false, by: 'outside' } }],
  });
  expect(await it.troupe('verify', 'r1')).toMatchObject({ code: 0 });
});

test('to all of a group in which nobody lives nothing is sent, and that is said, with a host and without', async () => {
  const asking = `
import { coordinator, defineProcess, gate } from 'troupe';
import { setup } from 'xstate';
const lonely = coordinator(setup({ actions: { open: gate({ name: 'go', question: 'Go?' }) } }).createMachine({
  id: 'lonely', initial: 'open', states: { open: { entry: 'open', on: { approved: 'over' } }, over: { type: 'final' } },
}));
export default defineProcess('lonely', async (ctx) => ctx.group('lonely', lonely, null).output);
`;
  const it = project({ 'lonely.process.mjs': asking });
  const host = it.start('run', 'lonely.process.mjs', '--run-id', 'r1');
  await host.said('waits for approval');
  const reached = {
    code: 2,
    stderr: expect.stringMatching(/^UNKNOWN_MEMBER: .* to all of group `lonely` reached nobody/),
  };
  expect(await it.troupe('send', 'r1', 'lonely', '*', 'hello')).toMatchObject(reached);
  host.child.kill('SIGKILL');
  await host.ended;
  expect(await it.troupe('send', 'r1', 'lonely', '*', 'hello')).toMatchObject(reached);
  expect(messagesIn((await it.troupe('log', 'r1', '--json')).stdout)).toBe(0);
});
