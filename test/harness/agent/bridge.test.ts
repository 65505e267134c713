/** The bridge: an agent as a member of a group, driven by the real host on a journal. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { JsonValue, OutputSchema } from 'troupe';
import { AgentFailure, agentHarness, fakeAgent, type AgentOptions, type Mailbox, type Message } from 'troupe/harness';
import { turnFailed } from '../../../src/harness/agent/failure.ts';
import { settle } from '../../support/hand-clock.ts';
import { noMailbox } from '../../support/no-mailbox.ts';
import { driven, finished } from '../../support/running.ts';
import { attemptAt, until } from '../support.ts';
import { outcomeOf, playing, recorded } from './playing.ts';

// Loading takes real time, of which a hand clock knows nothing.
beforeAll(() => import('../../../src/harness/agent/perform.ts'));

const never = new Promise<never>(() => {});

describe('a turn', () => {
  test('is prompted with who it is and its task, and its last text is the output', async () => {
    const play = playing(({ prompt }) => (prompt.includes('Do it.') ? 'Done.' : 'What?'), { invocations: [{}, {}] });
    await finished(play);
    expect(await outcomeOf(play)).toEqual({ status: 'ok', output: 'Done.' });
    expect(play.agent.prompts[0]).toMatch(/member "a" of the group "group".*Its other members: "b"/);
    expect(play.agent.openCount).toBe(0);
  });

  test('inherits nothing of the agent that its host runs in, unless that is asked for', async () => {
    process.env['CLAUDECODE'] = '1';
    try {
      const seen = async (options: AgentOptions) => {
        const play = playing(() => 'Done.', { options: { env: {}, ...options } });
        await finished(play);
        const { CLAUDECODE, PATH } = play.agent.opened[0]?.env ?? {};
        return [CLAUDECODE, PATH === process.env['PATH']];
      };
      expect(await seen({ inheritEnv: true })).toEqual([undefined, true]);
      expect(await seen({ inheritEnv: ['CLAUDECODE'] })).toEqual(['1', false]);
      expect(await seen({ inheritEnv: true, env: { CLAUDECODE: '2' } })).toEqual(['2', true]);
    } finally {
      delete process.env['CLAUDECODE'];
    }
  });

  test('without briefing it is prompted with the task alone', async () => {
    const play = playing(() => 'Done.', { options: { briefing: false } });
    await finished(play);
    expect(play.agent.prompts).toEqual(['Do it.']);
  });

  test('answers JSON where JSON is asked for, and anything else is invalid output', async () => {
    const input = { outputSchema: { type: 'object' } };
    for (const [answer, outcome] of [
      ['```json\n{"ship":true}\n```', { status: 'ok', output: { ship: true } }],
      ['Yes.', { status: 'error', class: 'invalid-output', error: { code: 'NOT_JSON' } }],
      ['['.repeat(1e5) + ']'.repeat(1e5), { status: 'error', class: 'invalid-output', error: { code: 'NOT_JSON' } }],
    ] as const) {
      const play = playing(() => answer, { invocations: [{ input }], options: { env: { A_TOKEN: 'planted-secret' } } });
      await finished(play);
      expect(await outcomeOf(play)).toMatchObject(outcome);
      expect(play.agent.opened[0]?.outputSchema).toEqual(input.outputSchema);
    }
  });

  test('a failure keeps its class and code, and is tried again in the same session', async () => {
    const play = playing(({ turn }) => (turn === 1 ? turnFailed('OVERLOADED', 'busy') : 'Done.'), {
      invocations: [{ retry: { attempts: 2 } }],
    });
    await finished(play);
    expect(await recorded(play, 'attempt.failed')).toMatchObject([
      { class: 'overloaded', error: { code: 'OVERLOADED' } },
    ]);
    const [first, second] = play.agent.opened;
    expect(second?.session).toEqual({ mode: 'resume', id: first?.session.id });
  });

  test('is not begun for mail when its attempt was ended after the turn before', async () => {
    const agent = fakeAgent(({ turn }) => (turn === 1 ? 'First.' : never));
    const mail: Message[] = [{ id: 'm1', from: 'bob', to: 'a', type: 'hint', body: 'left', at: 0 }];
    let looks = 0;
    const take: Mailbox['take'] = () => {
      looks += 1;
      if (looks === 2) attempt.abort(new Error('enough'));
      return Promise.resolve({ messages: looks === 2 ? mail : [], acknowledge() {}, putBack() {} });
    };
    const attempt = attemptAt({ prompt: 'Do it.' }, { mailbox: { ...noMailbox, take } });
    const outcome = await agentHarness(agent, { mailbox: 'none' }).perform(attempt);
    expect(outcome).toEqual({ status: 'cancelled', reason: 'enough' });
    expect(agent.prompts).toHaveLength(1);
  });

  test('an invocation without a prompt, or with nonsense for the agent, is refused', async () => {
    const play = playing(() => 'Done.', { invocations: [{ prompt: ' ' }, { input: { model: 7 } }] });
    await finished(play);
    expect(await recorded(play, 'member.settled')).toMatchObject([
      { outcome: { class: 'refused', error: { code: 'BAD_INPUT' } } },
      { outcome: { class: 'refused', error: { code: 'BAD_INPUT' } } },
    ]);
    expect(play.agent.opened).toEqual([]);
  });
});

describe('the session', () => {
  test('is durable before the first prompt where its id is chosen', async () => {
    const agent = fakeAgent(() => 'Done.');
    let durable: () => void = () => {};
    const ids: string[] = [];
    const session = (id: string) => {
      ids.push(id);
      return new Promise<void>((resolve) => (durable = resolve));
    };
    const outcome = agentHarness(agent, { mailbox: 'none' }).perform(attemptAt({ prompt: 'Do it.' }, { session }));
    await until(() => ids.length > 0);
    for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
    expect(agent.prompts).toEqual([]);
    durable();
    // It is recorded once more when the model has shown itself.
    await until(() => ids.length > 1);
    durable();
    expect(await outcome).toEqual({ status: 'ok', output: 'Done.' });
    expect(ids).toEqual([agent.opened[0]?.session.id, ids[0]]);
  });

  test('that the agent tells late is durable before the attempt has ended', async () => {
    const agent = fakeAgent(() => 'Done.', { capabilities: { presetSession: false } });
    const held: (() => void)[] = [];
    const session = () => new Promise<void>((resolve) => void held.push(resolve));
    let isOver = false;
    const outcome = agentHarness(agent, { mailbox: 'none' }).perform(attemptAt({ prompt: 'Do it.' }, { session }));
    void outcome.then(() => (isOver = true));
    await until(() => agent.openCount === 0 && held.length > 0);
    for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
    expect(isOver).toBe(false);
    for (const durable of held) durable();
    expect(await outcome).toMatchObject({ status: 'ok' });
  });

  test('is recorded when the agent tells it where the agent chooses, and an attempt does not end before that', async () => {
    const play = playing(({ session }) => session, { fake: { capabilities: { presetSession: false } } });
    await finished(play);
    const { output } = (await outcomeOf(play)) as { readonly output: JsonValue };
    expect(await recorded(play, 'attempt.session')).toMatchObject([
      { session: output, data: { isActive: false } },
      { session: output, data: { isActive: true } },
    ]);
  });

  test('goes on after its host has died: told so when the task was heard, told the task when not', async () => {
    for (const wasHeard of [true, false]) {
      const play = playing(({ isResumed, emit, prompt }) => {
        if (isResumed) return prompt;
        if (wasHeard) emit({ type: 'text', text: 'Beginning', isDelta: false });
        return never;
      });
      await driven(play);
      await settle();
      play.store.abandon('run');
      await finished(play);
      const { output } = (await outcomeOf(play)) as { readonly output: string };
      expect(output.includes('You were interrupted (this is attempt 2)')).toBe(wasHeard);
      expect(output.includes('Do it.')).toBe(!wasHeard);
      expect(new Set(play.agent.opened.map(({ session }) => session.id)).size).toBe(1);
    }
  });

  test.each([true, false])(
    'whose result was refused is asked for a better one, and told what was wrong (in the same session: %s)',
    async (resume) => {
      const schema: OutputSchema = {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (value) =>
            value === 7 ? { value } : { issues: [{ message: 'expected the number 7, not "6"', path: ['count'] }] },
        },
      };
      let said = 0;
      const play = playing(
        ({ emit }) => {
          emit({ type: 'text', text: 'An answer.', isDelta: false });
          said += 1;
          return ['Six.', '6', turnFailed('OVERLOADED', 'busy'), '7'][said - 1] ?? '';
        },
        {
          fake: { capabilities: { resume } },
          invocations: [
            {
              output: 'seven',
              input: { outputSchema: { type: 'integer' } },
              retry: { attempts: 4, on: ['invalid-output', 'overloaded'] },
            },
          ],
        },
      );
      await finished(play, { schemas: { seven: schema } });
      expect(await outcomeOf(play)).toEqual({ status: 'ok', output: 7 });
      const [first, second, third, fourth] = play.agent.prompts;
      expect(first).not.toContain('not accepted');
      const wrong = (attempt: number, why: string) =>
        `The result of attempt ${attempt} at your task was not accepted. What was wrong with it, quoted as data: ${JSON.stringify(why)}`;
      const isNoSeven = 'output of member `a` does not meet its schema: count: expected the number 7, not "6"';
      expect(second).toContain(wrong(1, 'expected an answer in JSON, got: Six.'));
      expect(third).toContain(wrong(2, isNoSeven));
      expect(fourth).toContain(wrong(2, isNoSeven));
      for (const prompt of [second, third, fourth]) {
        expect(prompt).toContain('meets this JSON Schema:\n{"type":"integer"}');
        expect(prompt?.includes('Do it.')).toBe(!resume);
      }
      expect(second?.includes('end with the whole result again')).toBe(resume);
      expect(third?.includes('interrupted')).toBe(false);
      expect(fourth?.includes('You were interrupted (this is attempt 4)')).toBe(resume);
    },
  );

  test('one that is not there any more is replaced by a new one, from the start', async () => {
    const play = playing(
      ({ isResumed, prompt }) => {
        if (isResumed) return turnFailed('SESSION_UNKNOWN', 'no such session');
        return play.agent.opened.length === 1 ? turnFailed('NO_RESULT', 'died') : prompt;
      },
      { invocations: [{ retry: { attempts: 2 } }] },
    );
    await finished(play);
    expect(await outcomeOf(play)).toMatchObject({ status: 'ok', output: expect.stringContaining('Do it.') });
    expect(play.agent.opened.map(({ session }) => session.mode)).toEqual(['new', 'resume', 'new']);
  });

  test('of an agent that keeps none is a new one in each attempt, which is told the task', async () => {
    const play = playing(
      ({ prompt, emit }) => {
        emit({ type: 'text', text: 'Working', isDelta: false });
        return play.agent.prompts.length > 1 ? prompt : turnFailed('OVERLOADED', 'busy');
      },
      { invocations: [{ retry: { attempts: 2 } }], fake: { capabilities: { resume: false } } },
    );
    await finished(play);
    expect(await outcomeOf(play)).toMatchObject({ status: 'ok', output: expect.stringContaining('Do it.') });
    expect(play.agent.prompts).toHaveLength(2);
    expect(play.agent.openCount).toBe(0);
  });

  test('that cannot be opened fails the attempt by its class', async () => {
    const play = playing(() => 'Done.');
    const agent = { name: 'shut', open: () => Promise.reject(new AgentFailure('auth', 'log in first')) };
    await finished(play, { harnesses: { agent: agentHarness(agent, { inheritEnv: false, mailbox: 'none' }) } });
    expect(await outcomeOf(play)).toMatchObject({ class: 'auth', error: { message: 'log in first' } });
  });
});

describe('spending', () => {
  test('totals of a session are charged once, whoever counts again after a crash', async () => {
    const play = playing(({ isResumed, emit }) => {
      emit({ type: 'usage', tokens: isResumed ? 150 : 100, isCumulative: true });
      return isResumed ? 'Done.' : never;
    });
    await driven(play);
    play.clock.advance(5_000);
    await settle();
    play.store.abandon('run');
    await finished(play);
    expect(await recorded(play, 'member.progress')).toMatchObject([{ progress: { usage: { tokens: 100 } } }]);
    expect(await outcomeOf(play)).toMatchObject({ status: 'ok', usage: { tokens: 50 } });
  });

  test('a session that replaces another is counted from its own beginning', async () => {
    const agent = fakeAgent(({ emit }) => {
      emit({ type: 'usage', tokens: 50, isCumulative: true });
      return 'Done.';
    });
    const before = { previousSession: 'gone', previousSessionSpent: { tokens: 100 } };
    const outcome = await agentHarness(agent, { mailbox: 'none' }).perform(attemptAt({ prompt: 'Do it.' }, before));
    expect(agent.opened.map(({ session }) => session.mode)).toEqual(['resume', 'new']);
    expect(outcome).toEqual({ status: 'ok', output: 'Done.', usage: { tokens: 50 } });
  });

  test('over its budget the turn is ended, earlier attempts counted', async () => {
    const play = playing(
      async ({ spend, signal, turn }) => {
        spend({ costUsd: turn === 1 ? 0.6 : 0.5 });
        await Promise.resolve();
        if (signal.aborted) throw new Error('stopped');
        return turnFailed('OVERLOADED', 'busy');
      },
      { invocations: [{ budget: { costUsd: 1 }, retry: { attempts: 5 } }] },
    );
    await finished(play);
    expect(await outcomeOf(play)).toMatchObject({
      class: 'refused',
      error: { code: 'BUDGET', message: expect.stringContaining('costUsd 1, and 1.1') },
      usage: { costUsd: 0.5 },
    });
    expect(play.agent.opened[1]?.costUsdMax).toBeCloseTo(0.4);
  });
});
