/** What Claude Code's lines mean, and Qwen Code's, which are alike. */
import { describe, expect, test } from 'vitest';
import { ended, exited, failedAs, killedBy, kinds, read, said } from './reading.ts';

const claudeInit = {
  type: 'system',
  subtype: 'init',
  session_id: 's1',
  tools: [],
  mcp_servers: [{ name: 'group', status: 'connected' }],
};
const claudeSays = (text: string, id = 'm1') => ({
  type: 'assistant',
  message: { id, content: [{ type: 'text', text }], usage: { input_tokens: 90, output_tokens: 10 } },
  parent_tool_use_id: null,
});
// `type` is not its first key.
const claudeResult = (more: object) => ({
  duration_ms: 5,
  type: 'result',
  subtype: 'success',
  is_error: false,
  session_id: 's1',
  result: 'Done.',
  ...more,
});

describe('claude', () => {
  test('a whole turn: session, tools, denied ones, usage once, cost as a total', () => {
    const { events, end, wasOver } = read('claude', [
      claudeInit,
      { type: 'stream_event', event: { type: 'message_start' } },
      { type: 'stream_event', event: { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Let me' } } },
      claudeSays('Let me'),
      {
        type: 'assistant',
        message: {
          id: 'm1',
          content: [{ type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'ls' } }],
          usage: { input_tokens: 90, output_tokens: 10 },
        },
      },
      {
        type: 'system',
        subtype: 'permission_denied',
        tool_use_id: 't1',
        tool_name: 'Bash',
        message: 'not allowed here',
      },
      {
        type: 'user',
        message: { content: [{ type: 'tool_result', tool_use_id: 't1', is_error: true, content: 'no' }] },
      },
      {
        type: 'assistant',
        parent_tool_use_id: 't9',
        message: { id: 'sub', content: [{ type: 'text', text: 'of a subagent' }] },
      },
      claudeResult({
        total_cost_usd: 0.5,
        usage: { input_tokens: 190, output_tokens: 20 },
        permission_denials: [{ tool_name: 'Bash', tool_use_id: 't1' }],
      }),
    ]);
    expect(kinds(events)).toEqual([
      'session',
      'text',
      'usage',
      'tool Bash started',
      'denied',
      'tool Bash failed',
      'notice',
      'usage',
      'usage',
    ]);
    expect(events.filter(({ type }) => type === 'usage')).toEqual([
      { type: 'usage', tokens: 100, isCumulative: false },
      { type: 'usage', tokens: 110, isCumulative: false },
      { type: 'usage', costUsd: 0.5, isCumulative: true },
    ]);
    expect(end).toEqual(said('Done.'));
    expect(wasOver).toBe(true);
  });

  test('an API failure is a `success` with is_error; its status is its class', () => {
    const failure = (api_error_status: number) =>
      claudeResult({ is_error: true, terminal_reason: 'api_error', api_error_status, result: 'API Error' });
    expect(ended('claude', [claudeInit, failure(529)])).toMatchObject(failedAs('overloaded', 'OVERLOADED'));
    expect(ended('claude', [claudeInit, failure(429)])).toMatchObject(failedAs('rate-limited', 'RATE_LIMITED'));
    expect(ended('claude', [claudeInit, failure(401)], exited(1))).toMatchObject(failedAs('auth', 'AUTH'));
  });

  test('its own bounds are refusals; an unknown session is known as such', () => {
    const bound = (subtype: string) =>
      ended('claude', [claudeResult({ subtype, is_error: true, result: undefined })], exited(1));
    expect(bound('error_max_budget_usd')).toMatchObject(failedAs('refused', 'BUDGET'));
    expect(bound('error_max_turns')).toMatchObject(failedAs('refused', 'TURNS'));
    expect(bound('error_during_execution')).toMatchObject({ status: 'error' });
    const unknown = {
      subtype: 'error_during_execution',
      is_error: true,
      result: undefined,
      errors: ['No conversation found with session ID: x'],
    };
    expect(ended('claude', [claudeResult(unknown)], exited(1))).toMatchObject({ error: { code: 'SESSION_UNKNOWN' } });
    expect(ended('claude', [], exited(1, 'Error: Session ID x is already in use.'))).toMatchObject({
      error: { code: 'SESSION_TAKEN' },
    });
  });

  test('of several results the last counts, and background work is waited for', () => {
    const task = { type: 'system', subtype: 'task_started', task_id: 'b1' };
    const first = [claudeInit, task, claudeResult({ result: 'Not yet.' })];
    expect(read('claude', first).wasOver).toBe(false);
    const all = [
      ...first,
      { type: 'system', subtype: 'task_notification', task_id: 'b1' },
      claudeResult({ result: 'Now.' }),
    ];
    expect(read('claude', all)).toMatchObject({ wasOver: true, end: said('Now.') });
  });

  test('what was said too late for a turn is a turn of its own, which is waited for and counted by itself', () => {
    const usage = { usage: { input_tokens: 150, output_tokens: 10 } };
    const one = [claudeInit, claudeSays('First'), claudeResult({ result: 'First.', ...usage })];
    const two = [claudeInit, claudeSays('Second', 'm2')];
    expect(read('claude', [...one, ...two])).toMatchObject({ wasOver: false, end: failedAs('crashed', 'NO_RESULT') });
    const { events, end } = read('claude', [...one, ...two, claudeResult({ result: 'Second.', ...usage })]);
    expect(end).toEqual(said('Second.'));
    const tokens = events.flatMap((event) => (event.type === 'usage' ? [event.tokens] : []));
    expect(tokens).toEqual([100, 60, 100, 60]);
  });

  test('without a result it has crashed, whatever its exit code (0 after SIGINT)', () => {
    for (const exit of [exited(0), exited(143), killedBy('SIGKILL')])
      expect(ended('claude', [claudeInit, claudeSays('Working')], exit)).toMatchObject(
        failedAs('crashed', 'NO_RESULT'),
      );
  });

  test('a retry is told, with its class; a server that failed too; structured output is taken', () => {
    const { events } = read('claude', [
      { ...claudeInit, mcp_servers: [{ name: 'group', status: 'failed' }] },
      { type: 'system', subtype: 'api_retry', attempt: 2, max_retries: 10, retry_delay_ms: 5, error_status: 529 },
    ]);
    expect(events).toContainEqual({ type: 'mcp-failed', server: 'group', message: 'it says: failed' });
    expect(events).toContainEqual({ type: 'retry', attempt: 2, class: 'overloaded', message: 'status 529' });
    expect(ended('claude', [claudeResult({ structured_output: { ship: true } })])).toEqual({
      ...said('Done.'),
      structured: { ship: true },
    });
  });
});

describe('qwen', () => {
  test('speaks like claude, but counts its whole session; over its budget there is only what it says on standard error', () => {
    const { events, end } = read('qwen', [
      claudeInit,
      claudeSays('Done.'),
      claudeResult({ usage: { input_tokens: 300, output_tokens: 20 } }),
    ]);
    expect(end).toEqual(said('Done.'));
    expect(events.filter(({ type }) => type === 'usage')).toEqual([{ type: 'usage', tokens: 320, isCumulative: true }]);
    expect(ended('qwen', [claudeInit], exited(55, 'Run aborted: tool call budget exceeded'))).toMatchObject({
      status: 'error',
      error: { message: expect.stringContaining('budget exceeded') },
    });
  });
});

test('what is no line of the CLI is a notice, and changes nothing', () => {
  const { events, end } = read('claude', [
    'Warning: something',
    '[1,2]',
    'null',
    '{"half":',
    claudeInit,
    '',
    claudeResult({}),
  ]);
  expect(kinds(events)).toEqual(['notice', 'notice', 'notice', 'notice', 'session']);
  expect(end).toEqual(said('Done.'));
});
