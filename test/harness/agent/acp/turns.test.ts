/** Turns: what real agents do in them that they should not, or not in that way; each time a fake one that does it. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { qwenUsage } from '../../../../src/harness/agent/acp/qwen.ts';
import { codexSign } from '../../../../src/harness/agent/acp/codex.ts';
import { copilotEnd } from '../../../../src/harness/agent/acp/copilot.ts';
import { type TurnEnd } from '../../../../src/harness/agent/port.ts';
import { scripted } from '../../../agents/model/script.ts';
import { fakeInProcess } from './opening.ts';

const shell = (command: string, title?: string) => ({
  tool: 'shell',
  args: { command, ...(title === undefined ? {} : { title }) },
});
const classOf = (end: TurnEnd) => (end.status === 'error' ? end.class : end.status);

test('a tool that is only told to have ended has begun as well (Gemini)', async () => {
  const { session, events } = await fakeInProcess({ endsWithoutBeginning: true })();
  await session.prompt(scripted([shell('echo 1'), { text: 'done' }]));
  const told = events.flatMap((event) => (event.type === 'tool' ? [event.status] : []));
  expect(told).toEqual(['started', 'done']);
});

test('an agent whose turn a second prompt would end is not steered (Gemini, Qwen Code, Copilot)', async () => {
  const { session } = await fakeInProcess({ steer: 'cancel-first' })();
  expect(session.capabilities.steer).toBe('none');
  expect(session.steer).toBeUndefined();
});

test('a second prompt joins the turn where the agent is known for it (OpenCode)', async () => {
  const { session } = await fakeInProcess({ steer: 'join' })({ habits: { secondPrompt: 'into-turn' } });
  expect(session.capabilities.steer).toBe('into-turn');
  expect(await session.steer?.('too early')).toBe('refused');
  const turn = session.prompt(scripted([{ ...shell('true'), wait: 300 }, { echo: true }]));
  await delay(50);
  expect(await session.steer?.('praline')).toBe('injected');
  expect(await turn).toMatchObject({ status: 'ok', text: expect.stringContaining('praline') as string });
  expect(await session.prompt(scripted([{ text: 'next' }]))).toEqual({ status: 'ok', text: 'next' });
});

test('a second prompt that is refused is told as refused, and harms nothing', async () => {
  const { session } = await fakeInProcess({ steer: 'refuse' })({ habits: { secondPrompt: 'next-turn' } });
  const turn = session.prompt(scripted([{ text: 'alone', wait: 300 }]));
  await delay(50);
  expect(await session.steer?.('praline')).toBe('refused');
  expect(await turn).toEqual({ status: 'ok', text: 'alone' });
});

test('what is said to a turn is taken where the agent asks for it, and refused where it does not (Qwen Code)', async () => {
  const { session } = await fakeInProcess({ steer: 'ask' })({ habits: { drains: 'fake/drain' } });
  expect(session.capabilities.steer).toBe('into-turn');
  expect(await session.steer?.('too early')).toBe('refused');
  const turn = session.prompt(
    scripted([
      { ...shell('true'), wait: 200 },
      { echo: true, wait: 300 },
    ]),
  );
  await delay(50);
  expect(await session.steer?.('praline')).toBe('injected');
  const tooLate = session.steer?.('nougat');
  expect(await turn).toMatchObject({ status: 'ok', text: expect.stringContaining('praline') as string });
  expect(await tooLate).toBe('refused');
});

test('tokens that stand beside the text are told for each call (Qwen Code)', () => {
  const usage = { inputTokens: 100, outputTokens: 10, totalTokens: 110 };
  expect(qwenUsage({ sessionUpdate: 'agent_message_chunk', _meta: { usage } })).toEqual({
    type: 'usage',
    tokens: 110,
    isCumulative: false,
  });
  expect(qwenUsage({ sessionUpdate: 'agent_message_chunk' })).toBeUndefined();
});

test('a cancel that came too early is said again', async () => {
  const { session } = await fakeInProcess({ deafMs: 700 })();
  const beganMs = performance.now();
  const turn = session.prompt(scripted([{ slow: { n: 1_000, ms: 20 } }]));
  await delay(50);
  await session.cancel();
  expect(await turn).toEqual({ status: 'cancelled' });
  const tookMs = performance.now() - beganMs;
  expect(tookMs).toBeGreaterThan(690);
  // Before the agent would have lost its connection for not hearing it.
  expect(tookMs).toBeLessThan(4_900);
});

test('a turn that is cancelled before it has begun is not begun', async () => {
  const { session, said } = await fakeInProcess()();
  const turn = session.prompt(scripted([{ text: 'said' }]));
  await session.cancel();
  expect(await turn).toEqual({ status: 'cancelled' });
  expect(await session.prompt(scripted([{ text: 'only this' }]))).toEqual({ status: 'ok', text: 'only this' });
  expect(said()).toBe('only this');
});

test('an agent that does not hear a cancel loses its connection, and its session goes on', async () => {
  const { session } = await fakeInProcess({ ignoresCancel: true })({
    patience: { initialize: 5_000, session: 5_000, cancel: 300 },
  });
  const turn = session.prompt(scripted([{ slow: { n: 1_000, ms: 20 } }]));
  await delay(50);
  await session.cancel();
  expect(await turn).toEqual({ status: 'cancelled' });
  expect(await session.prompt(scripted([{ text: 'back' }]))).toEqual({ status: 'ok', text: 'back' });
});

test('a turn that ends well after its model has failed has failed (Codex)', async () => {
  const error = (message: string, willRetry: boolean) => ({
    sessionUpdate: 'session_info_update',
    _meta: {
      codex: {
        error: {
          message,
          codexErrorInfo: { responseStreamDisconnected: { httpStatusCode: 529 } },
          additionalDetails: 'unexpected status 529',
          willRetry,
        },
      },
    },
  });
  const broken = { sessionUpdate: 'session_info_update', _meta: { codex: { threadStatus: { type: 'systemError' } } } };
  const habits = { signOf: codexSign };
  const open = fakeInProcess({ alsoTells: [error('Reconnecting... 2/5', true), broken] });
  const { session, events } = await open({ habits });
  expect(await session.prompt(scripted([{ text: 'unexpected status 529: as scripted' }]))).toMatchObject({
    status: 'error',
    class: 'overloaded',
  });
  expect(events).toContainEqual({
    type: 'retry',
    attempt: 2,
    class: 'overloaded',
    message: 'unexpected status 529',
  });
  const final = await fakeInProcess({ alsoTells: [error('given up', false)] })({ habits });
  expect(await final.session.prompt(scripted([{ text: 'an error' }]))).toMatchObject({
    class: 'overloaded',
    error: { message: 'unexpected status 529' },
  });
  const retried = await fakeInProcess({ alsoTells: [error('Reconnecting... 1/5', true)] })({ habits });
  expect(await retried.session.prompt(scripted([{ text: 'fine' }]))).toEqual({ status: 'ok', text: 'fine' });
});

test('a turn that ends well with an error for a text, and no usage, has failed (Copilot)', () => {
  const text = 'Info: Retrying...Error: Authentication failed with provider (HTTP 401).';
  expect(copilotEnd({ stopReason: 'end_turn' }, text)).toMatchObject({ type: 'failed', status: 401 });
  expect(copilotEnd({ stopReason: 'end_turn', usage: { totalTokens: 9 } }, text)).toBeUndefined();
  expect(copilotEnd({ stopReason: 'end_turn' }, 'all is well')).toBeUndefined();
});

test('each reason to stop has its meaning', async () => {
  const ends: Record<string, string> = {};
  for (const stopReason of ['refusal', 'max_tokens', 'max_turn_requests', 'cancelled', 'of_tomorrow']) {
    const { session } = await fakeInProcess({ stopReason })();
    ends[stopReason] = classOf(await session.prompt(scripted([{ text: 'x' }])));
  }
  expect(ends).toEqual({
    refusal: 'refused',
    max_tokens: 'failed',
    max_turn_requests: 'refused',
    cancelled: 'failed',
    of_tomorrow: 'failed',
  });
});

test('what usage counts is the agent’s habit, a session’s total by default', async () => {
  const usages = async (habits: object) => {
    const { session, events } = await fakeInProcess()({ habits });
    await session.prompt(scripted([{ text: 'a' }]));
    return events.flatMap((event) => (event.type === 'usage' ? [event] : []));
  };
  expect(await usages({})).toEqual([{ type: 'usage', tokens: 110, isCumulative: true }]);
  expect(await usages({ usageOf: 'turn' })).toEqual([{ type: 'usage', tokens: 110, isCumulative: false }]);
});

test('two turns at once are one too many', async () => {
  const { session } = await fakeInProcess()();
  const first = session.prompt(scripted([{ text: 'first', wait: 100 }]));
  expect(await session.prompt('second')).toMatchObject({ status: 'error' });
  expect(await first).toEqual({ status: 'ok', text: 'first' });
});

test('the answer is the last message; what was said before a tool is not part of it', async () => {
  const { session, events } = await fakeInProcess()();
  const script = scripted([
    { tool: 'shell', args: { command: 'true' }, text: 'Let me look.' },
    { slow: { n: 3, ms: 1 } },
  ]);
  expect(await session.prompt(script)).toEqual({ status: 'ok', text: 'token-1 token-2 token-3 ' });
  const deltas = events.flatMap((event) => (event.type === 'text' ? [event.isDelta] : []));
  expect(deltas.at(-3)).toBe(false);
  expect(deltas.slice(-2)).toEqual([true, true]);
});
