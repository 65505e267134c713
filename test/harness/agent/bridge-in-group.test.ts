/** The bridge: an agent in its group: mail, permissions, patience, secrets. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { AgentMcpServer, FakeScript, PermissionPolicy } from 'troupe/harness';
import { turnFailed } from '../../../src/harness/agent/failure.ts';
import { passing, settle } from '../../support/hand-clock.ts';
import { driven, finished, open } from '../../support/running.ts';
import { outcomeOf, playing, recorded } from './playing.ts';

// Loading takes real time, of which a hand clock knows nothing.
beforeAll(() => import('../../../src/harness/agent/perform.ts'));

const never = new Promise<never>(() => {});
const textsOf = async (play: ReturnType<typeof playing>) =>
  (await recorded(play, 'member.progress')).map(
    (data) => (data as { readonly progress: { readonly line?: string } }).progress.line,
  );
const mcpServer: AgentMcpServer = {
  name: 'group',
  url: 'http://127.0.0.1:1/',
  headers: { Authorization: 'Bearer of-this-attempt' },
};
const served = (isJoined: () => boolean, closed: string[] = []) => ({
  serveMailbox: async () => ({
    mcpServer,
    isJoined,
    lastHeardAt: () => undefined,
    close: async () => void closed.push('closed'),
  }),
});

describe('messages', () => {
  const waiting: FakeScript = async ({ prompt, steered, turn }) =>
    turn === 1 && !prompt.includes('Messages') ? `heard: ${await steered()}` : `then: ${prompt}`;

  test('of mode steer are said into the running turn where the agent can', async () => {
    const play = playing(waiting);
    const { run, end } = await driven(play);
    await run.send('group', { id: 'hint', to: 'a', type: 'hint', body: 'left', mode: 'steer' });
    await settle();
    await passing(play.clock, end);
    expect(await outcomeOf(play)).toMatchObject({ output: expect.stringMatching(/^heard: .*untrusted data.*"left"/s) });
    await run.close();
  });

  test.each([true, false])(
    'of mode steer end the turn and are said at the next where nothing else is left (and its task with them, unless it was heard: %s)',
    async (isHeard) => {
      const begun: FakeScript = (turn) => {
        if (isHeard && turn.turn === 1) turn.emit({ type: 'text', text: 'I begin.', isDelta: false });
        return waiting(turn);
      };
      const play = playing(begun, { fake: { capabilities: { steer: 'none', mcp: false } } });
      const { run, end } = await driven(play);
      await run.send('group', { id: 'hint', to: 'a', type: 'hint', body: 'left', mode: 'steer' });
      await passing(play.clock, end);
      expect(await outcomeOf(play)).toMatchObject({ output: expect.stringMatching(/^then: .*"left"/s) });
      expect(play.agent.prompts.map((prompt) => prompt.includes('Do it.'))).toEqual([true, !isHeard]);
      await run.close();
    },
  );

  test('that came before an agent without mailbox begins go with the first words', async () => {
    let finish: (answer: string) => void = () => {};
    const first = new Promise<string>((resolve) => (finish = resolve));
    const play = playing(({ prompt }) => (prompt.includes('the first') ? first : prompt), {
      fake: { capabilities: { mcp: false } },
      options: { concurrency: 1, briefing: false },
      invocations: [{ prompt: 'You are the first.' }, {}],
    });
    const { run, end } = await driven(play);
    await run.send('group', { id: 'early', to: 'b', type: 'hint', body: 'left' });
    finish('Done.');
    await passing(play.clock, end);
    await run.close();
    expect(play.agent.prompts[1]).toMatch(/^Do it\..*"left"/s);
    expect(await recorded(play, 'message.read')).toMatchObject([{ member: 'b', ids: ['early'] }]);
  });

  test('that wait when a turn has ended are read to the agent, a bounded number of times; what it said stands', async () => {
    let answers = 0;
    const play = playing(
      async ({ prompt, open: { cwd } }) => {
        void cwd;
        await run.send('group', { id: `more ${answers}`, to: 'a', type: 'more', body: answers });
        answers += 1;
        return prompt.includes('Your result stands') && answers > 2 ? 'UNCHANGED' : `result ${answers}`;
      },
      { options: { followUps: 3 } },
    );
    const run = await open(play);
    await passing(play.clock, run.drive());
    await run.close();
    expect(play.agent.prompts).toHaveLength(4);
    expect(await outcomeOf(play)).toMatchObject({ output: 'result 2' });
    expect(await recorded(play, 'letter.dead')).toHaveLength(1);
  });

  test('of mode interrupt make a new attempt in the same session', async () => {
    const play = playing(({ isResumed }) => (isResumed ? 'Done.' : never));
    const { run, end } = await driven(play);
    await run.send('group', { id: 'stop', to: 'a', type: 'stop', mode: 'interrupt' });
    await passing(play.clock, end);
    expect(await outcomeOf(play)).toMatchObject({ output: 'Done.' });
    expect(play.agent.opened[1]?.session).toEqual({ mode: 'resume', id: play.agent.opened[0]?.session.id });
    await run.close();
  });
});

describe('permissions', () => {
  const asks: FakeScript = async ({ ask }) => JSON.stringify(await ask('shell', { command: 'ls' }));

  test.each<[PermissionPolicy | undefined, object]>([
    [undefined, { allowed: false, note: 'the policy of this harness is to deny' }],
    ['allow', { allowed: true }],
    [
      ({ tool }, { member }) => ({ allowed: tool === 'shell' && member === 'a', note: 'looked' }),
      { allowed: true, note: 'looked' },
    ],
    [() => Promise.reject(new Error('cannot say')), { allowed: false, note: 'cannot say' }],
  ])('are decided by the policy (%#)', async (permissions, answer) => {
    const play = playing(asks, { options: permissions === undefined ? {} : { permissions } });
    await finished(play);
    expect(await outcomeOf(play)).toEqual({ status: 'ok', output: JSON.stringify(answer) });
  });

  test('or by whoever answers the member’s gate; a lost host asks no second time', async () => {
    const play = playing(
      async ({ ask, isResumed }) => {
        const answer = await ask('shell', { command: 'ls' });
        return isResumed ? JSON.stringify(answer) : never;
      },
      { options: { permissions: 'ask' } },
    );
    const { run } = await driven(play);
    const [opened] = await recorded(play, 'gate.opened');
    expect(opened).toMatchObject({
      question: 'May member a use shell: {"command":"ls"}?',
      data: { input: { command: 'ls' } },
      by: 'a',
    });
    await run.answer({ gate: (opened as { name: string }).name, approved: true, note: 'go' });
    await settle();
    play.store.abandon('run');
    await finished(play);
    expect(await outcomeOf(play)).toMatchObject({ output: JSON.stringify({ allowed: true, note: 'go' }) });
    expect(await recorded(play, 'gate.opened')).toHaveLength(1);
  });

  test('each use is asked for by itself, also when it is the same as before', async () => {
    const play = playing(async ({ ask }) => JSON.stringify([await ask('shell', 'ls'), await ask('shell', 'ls')]), {
      options: { permissions: 'ask' },
    });
    const { run, end } = await driven(play);
    for (const approved of [true, false]) {
      await settle();
      const gate = (await recorded(play, 'gate.opened')).at(-1) as { readonly name: string };
      await run.answer({ gate: gate.name, approved, note: '' });
    }
    await passing(play.clock, end);
    await run.close();
    expect(await outcomeOf(play)).toEqual({
      status: 'ok',
      output: JSON.stringify([{ allowed: true }, { allowed: false }]),
    });
  });
});

describe('patience', () => {
  test('an agent of which nothing is heard fails as stalled; one whose tool is at work, or who waits for an answer, does not', async () => {
    const busy = 700_000;
    const play = playing(
      async ({ emit, turn, ask }) => {
        if (turn === 1) return never;
        emit({ type: 'tool', id: '1', name: 'build', status: 'started' });
        await new Promise<void>((resolve) => play.clock.wakeAt(play.clock.now() + busy, resolve));
        emit({ type: 'tool', id: '1', name: 'build', status: 'done' });
        await ask('shell');
        return 'Done.';
      },
      {
        invocations: [{ retry: { attempts: 2 } }],
        options: {
          permissions: () =>
            new Promise((resolve) => play.clock.wakeAt(play.clock.now() + busy, () => resolve({ allowed: true }))),
        },
      },
    );
    await finished(play);
    expect(await recorded(play, 'attempt.failed')).toMatchObject([{ class: 'timeout', error: { code: 'STALLED' } }]);
    expect(await outcomeOf(play)).toMatchObject({ output: 'Done.' });
  });

  test('one that does not join a mailbox it must join fails; one that need not is told of', async () => {
    for (const mailbox of ['required', 'optional'] as const) {
      const closed: string[] = [];
      const play = playing(
        async ({ emit, signal }) => {
          emit({ type: 'text', text: 'Hello.', isDelta: false });
          await new Promise<void>((resolve) => play.clock.wakeAt(play.clock.now() + 20_000, resolve));
          return signal.aborted ? 'stopped' : 'Done.';
        },
        { options: { mailbox, ...served(() => false, closed) } },
      );
      await finished(play);
      expect(await outcomeOf(play)).toMatchObject(
        mailbox === 'required' ? { class: 'failed', error: { code: 'MAILBOX_DEAD' } } : { output: 'Done.' },
      );
      if (mailbox === 'optional')
        expect(await textsOf(play)).toContainEqual(expect.stringContaining('fake has not joined the mailbox'));
      expect(closed).toEqual(['closed']);
      expect(play.agent.opened[0]?.mcpServers).toEqual([mcpServer]);
    }
  });

  test('a turn that ends before the time is up does not count either, where the mailbox is required', async () => {
    for (const isJoined of [true, false]) {
      const play = playing(() => 'Done.', { options: { mailbox: 'required', ...served(() => isJoined) } });
      await finished(play);
      expect(await outcomeOf(play)).toMatchObject(isJoined ? { output: 'Done.' } : { error: { code: 'MAILBOX_DEAD' } });
    }
  });

  test('one that takes no mailbox fails before its first turn where it must have one; where it need not, that is told', async () => {
    for (const mailbox of ['required', 'optional'] as const) {
      const play = playing(() => 'Done.', {
        fake: { capabilities: { mcp: false } },
        options: { mailbox, ...served(() => false) },
      });
      await finished(play);
      expect(await outcomeOf(play)).toMatchObject(
        mailbox === 'required' ? { class: 'failed', error: { code: 'MAILBOX_DEAD' } } : { output: 'Done.' },
      );
      expect(play.agent.prompts).toHaveLength(mailbox === 'required' ? 0 : 1);
      expect(JSON.stringify(await recorded(play, 'attempt.session'))).toContain('it takes no MCP servers');
    }
  });

  test('a cancelled member is cancelled, also by an agent that does not hear of it', async () => {
    for (const cancel of ['heard', 'unheard'] as const) {
      const play = playing(() => never);
      const { open: opening } = play.agent;
      if (cancel === 'unheard')
        Object.assign(play.agent, {
          open: async (...given: Parameters<typeof opening>) => ({
            ...(await opening(...given)),
            capabilities: { steer: 'none', resume: true, mcp: true, warm: true },
            prompt: () => never,
            cancel: () => never,
          }),
        });
      const { run, end } = await driven(play);
      await passing(play.clock, run.cancel('enough'));
      expect(await passing(play.clock, end)).toMatchObject({ status: 'cancelled' });
      await passing(play.clock, run.close());
      expect(await recorded(play, 'attempt.cancelled')).toMatchObject([{ reason: 'enough' }]);
      expect(play.agent.openCount).toBe(0);
    }
  });
});

describe('secrets', () => {
  const secret = 'planted-5e\n"cr\\et';
  test('of the environment reach neither journal nor result, whole, in pieces, escaped, or in an error', async () => {
    const leaks: FakeScript = async ({ emit, turn, ask }) => {
      emit({ type: 'text', text: `my key is ${secret}`, isDelta: false });
      emit({ type: 'text', text: 'piece planted', isDelta: true });
      emit({ type: 'text', text: '-5e\n"cr\\et', isDelta: true });
      emit({ type: 'notice', line: JSON.stringify({ secret }) });
      emit({ type: 'tool', id: '1', name: secret, status: 'failed' });
      await ask('shell', { echo: `${'x'.repeat(90)} ${secret}`, [secret]: 'y'.repeat(3_850), last: secret });
      return turn === 1 ? turnFailed('AGENT_FAILED', `401 for ${encodeURIComponent(secret)}`) : `it is ${secret}`;
    };
    const play = playing(leaks, {
      invocations: [{ retry: { attempts: 2 } }],
      options: { env: { MY_API_KEY: secret, PLAIN: 'visible' }, permissions: 'ask', progressEveryMs: 0 } as object,
    });
    const { run, end } = await driven(play, { progressEveryMs: 0 });
    const [opened] = await recorded(play, 'gate.opened');
    await run.answer({ gate: (opened as { name: string }).name, approved: true, note: '' });
    await passing(play.clock, end);
    await run.close();
    const { entriesOf } = await import('../../support/dying-store.ts');
    const text = JSON.stringify(await entriesOf(play.store));
    expect(text).not.toMatch(/planted|5e\\n|cr\\\\/);
    expect(text).toContain('[redacted MY_API_KEY]');
    expect(await outcomeOf(play)).toEqual({ status: 'ok', output: 'it is [redacted MY_API_KEY]' });
  });

  test('of its mailbox neither', async () => {
    const play = playing(() => 'my token is of-this-attempt', { options: served(() => true) });
    await finished(play);
    expect(await outcomeOf(play)).toEqual({ status: 'ok', output: 'my token is [redacted Authorization]' });
  });
});
