/** What each CLI's lines mean, and the rule by which its turn has ended: never the exit code alone. */
import { describe, expect, test } from 'vitest';
import { ended, exited, failedAs, killedBy, kinds, read, said } from './reading.ts';

describe('codex', () => {
  const started = [{ type: 'thread.started', thread_id: 't1' }, { type: 'turn.started' }];
  const message = (text: string) => ({ type: 'item.completed', item: { id: 'i9', type: 'agent_message', text } });
  const call = (status: string) => ({
    id: 'i1',
    type: 'mcp_tool_call',
    server: 'group',
    tool: 'group_send',
    arguments: { to: 'b' },
    status,
  });

  test('a whole turn; its usage is a total of the session; an item that is an error is a warning', () => {
    const { events, end } = read('codex', [
      ...started,
      { type: 'item.completed', item: { id: 'i0', type: 'error', message: 'model metadata not found' } },
      { type: 'item.started', item: call('in_progress') },
      { type: 'item.completed', item: call('completed') },
      { type: 'item.started', item: { id: 'i2', type: 'command_execution', command: 'false', status: 'in_progress' } },
      {
        type: 'item.completed',
        item: {
          id: 'i2',
          type: 'command_execution',
          command: 'false',
          status: 'failed',
          exit_code: 1,
          aggregated_output: '',
        },
      },
      message('first'),
      message('Done.'),
      { type: 'turn.completed', usage: { input_tokens: 100, cached_input_tokens: 50, output_tokens: 10 } },
    ]);
    expect(kinds(events)).toEqual([
      'session',
      'notice',
      'tool mcp__group__group_send started',
      'tool mcp__group__group_send done',
      'tool command_execution started',
      'tool command_execution failed',
      'text',
      'text',
      'usage',
    ]);
    expect(events.at(-1)).toEqual({ type: 'usage', tokens: 110, isCumulative: true });
    expect(end).toEqual(said('Done.'));
  });

  test('fails by turn.failed, tells reconnecting as a retry, and says nothing on a signal', () => {
    const reconnecting = { type: 'error', message: 'Reconnecting... 2/5 (unexpected status 529 Overloaded)' };
    const { events, end } = read(
      'codex',
      [...started, reconnecting, { type: 'turn.failed', error: { message: 'unexpected status 529: overloaded' } }],
      exited(1),
    );
    expect(events).toContainEqual(expect.objectContaining({ type: 'retry', attempt: 2, class: 'overloaded' }));
    expect(end).toMatchObject(failedAs('overloaded', 'OVERLOADED'));
    // Where it cannot reach its service at all it counts nothing, and never gives up.
    const waiting = {
      type: 'error',
      message: 'Reconnecting... waiting for network (Connection failed: error sending request)',
    };
    const tries = read('codex', [...started, waiting, waiting, message('half'), waiting], exited(1)).events;
    expect(tries.flatMap((event) => (event.type === 'retry' ? [[event.attempt, event.class]] : []))).toEqual([
      [1, 'overloaded'],
      [2, 'overloaded'],
      [1, 'overloaded'],
    ]);
    expect(ended('codex', [...started, message('half')], killedBy('SIGTERM'))).toMatchObject(
      failedAs('crashed', 'NO_RESULT'),
    );
    expect(ended('codex', [...started, message('half')], exited(1))).toMatchObject(failedAs('crashed', 'NO_RESULT'));
    expect(ended('codex', [], exited(1, 'Error: no rollout found for thread id x'))).toMatchObject({
      error: { code: 'SESSION_UNKNOWN' },
    });
  });
});

describe('gemini', () => {
  const init = { type: 'init', session_id: 'g1', model: 'm' };
  const piece = (content: string) => ({ type: 'message', role: 'assistant', content, delta: true });
  const tool = [
    { type: 'tool_use', tool_name: 'mcp_group_group_send', tool_id: 'x1', parameters: {} },
    { type: 'tool_result', tool_id: 'x1', status: 'success', output: 'ok' },
  ];

  test('pieces are put together, after a tool anew; its usage is that of this run', () => {
    const { events, end } = read('gemini', [
      init,
      { type: 'message', role: 'user', content: 'Do it.' },
      piece('Let me'),
      piece(' see.'),
      ...tool,
      piece('Do'),
      piece('ne.'),
      { type: 'result', status: 'success', stats: { total_tokens: 120, input_tokens: 100, output_tokens: 20 } },
    ]);
    expect(end).toEqual(said('Done.'));
    expect(events.at(-1)).toEqual({ type: 'usage', tokens: 120, isCumulative: false });
    expect(kinds(events)).toContain('tool mcp_group_group_send done');
  });

  test('a signal leaves exit code 0 and no result: crashed; a failed result has its class', () => {
    expect(ended('gemini', [init, piece('half')], exited(0))).toMatchObject(failedAs('crashed', 'NO_RESULT'));
    const failure = {
      type: 'result',
      status: 'error',
      error: { type: 'Error', message: '[API Error: 401 API key not valid]' },
    };
    expect(ended('gemini', [init, failure], exited(145))).toMatchObject(failedAs('auth', 'AUTH'));
  });
});

describe('opencode', () => {
  const line = (type: string, part: object) => ({ type, sessionID: 'o1', part });
  const finish = (reason: string) =>
    line('step_finish', {
      reason,
      tokens: { input: 5, output: 2, reasoning: 1, cache: { read: 2, write: 0 } },
      cost: 0.25,
    });

  test('there is no last line: the last step that stopped, and the end of the output, are success; usage is added up', () => {
    const lines = [
      line('step_start', {}),
      line('tool_use', { tool: 'read', callID: 'c1', state: { status: 'completed', input: {}, output: 'text' } }),
      finish('tool-calls'),
      line('step_start', {}),
      line('text', { text: 'Done.' }),
      finish('stop'),
    ];
    const { events, end, wasOver } = read('opencode', lines);
    expect(end).toEqual(said('Done.'));
    expect(wasOver).toBe(true);
    expect(kinds(events)).toEqual(['session', 'tool read started', 'tool read done', 'usage', 'text', 'usage']);
    expect(events[3]).toEqual({ type: 'usage', tokens: 10, costUsd: 0.25, isCumulative: false });
    expect(read('opencode', lines.slice(0, 4)).wasOver).toBe(false);
  });

  test('a turn that stopped at a tool call nobody allowed is refused, exit code 0 or not', () => {
    const rejected = line('tool_use', {
      tool: 'bash',
      callID: 'c1',
      state: { status: 'error', input: {}, error: 'The user rejected permission to use this tool' },
    });
    const { events, end } = read('opencode', [line('step_start', {}), rejected, finish('tool-calls')]);
    expect(end).toMatchObject(failedAs('refused', 'PERMISSION'));
    expect(kinds(events)).toContain('denied');
  });

  test('an error line, a signal, and silence are failures', () => {
    const error = {
      type: 'error',
      sessionID: 'o1',
      error: { name: 'APIError', data: { message: 'Overloaded', statusCode: 529 } },
    };
    expect(ended('opencode', [line('text', { text: 'x' }), error], exited(0))).toMatchObject(
      failedAs('overloaded', 'OVERLOADED'),
    );
    expect(ended('opencode', [finish('stop')], killedBy('SIGINT'))).toMatchObject(failedAs('crashed', 'NO_RESULT'));
    expect(ended('opencode', [], exited(0))).toMatchObject(failedAs('crashed', 'NO_RESULT'));
  });
});

describe('copilot', () => {
  const message = { type: 'assistant.message', data: { content: 'Done.' } };
  const result = (exitCode: number) => ({ type: 'result', sessionId: 'c1', exitCode });

  test('pieces and whole messages are one text', () => {
    const { events, end } = read('copilot', [
      { type: 'assistant.message_delta', data: { deltaContent: 'Do' } },
      { type: 'assistant.message_delta', data: { deltaContent: 'ne.' } },
      message,
      { type: 'tool.execution_start', data: { toolCallId: 'k1', toolName: 'group-group_send', arguments: {} } },
      { type: 'tool.execution_complete', data: { toolCallId: 'k1', success: true, result: { content: 'ok' } } },
      result(0),
    ]);
    expect(end).toEqual(said('Done.'));
    expect(kinds(events)).toEqual(['text', 'text', 'tool group-group_send started', 'tool group-group_send done']);
  });

  test('a result with exit code 0 after an interruption is none', () => {
    for (const sign of [
      { type: 'abort', data: {} },
      { type: 'agent.interrupted', data: {} },
      { type: 'assistant.idle', data: { aborted: true } },
    ])
      expect(ended('copilot', [message, sign, result(0)])).toMatchObject(failedAs('crashed', 'NO_RESULT'));
  });

  test('a session error has its class', () => {
    const error = { type: 'session.error', data: { errorType: 'query', statusCode: 429, message: 'too many' } };
    const { events, end } = read(
      'copilot',
      [{ type: 'model.call_failure', data: { statusCode: 429 } }, error, result(1)],
      exited(1),
    );
    expect(end).toMatchObject(failedAs('rate-limited', 'RATE_LIMITED'));
    expect(events).toContainEqual(expect.objectContaining({ type: 'retry', attempt: 1, class: 'rate-limited' }));
  });

  test('tries again are counted call by call', () => {
    const failure = { type: 'model.call_failure', data: { statusCode: 503 } };
    const { events } = read('copilot', [failure, failure, message, failure, message, failure, message, result(0)]);
    const tries = events.flatMap((event) => (event.type === 'retry' ? [event.attempt] : []));
    expect(tries).toEqual([1, 2, 1, 1]);
  });
});

describe('pi', () => {
  const message = (stopReason: string, more: object = {}) => ({
    role: 'assistant',
    content: [{ type: 'text', text: 'Done.' }],
    stopReason,
    usage: { input: 8, output: 2, cost: { total: 0.1 } },
    ...more,
  });
  const end = (stopReason: string, more: object = {}) => ({ type: 'agent_end', messages: [message(stopReason, more)] });

  test('of several ends the last counts, and its exit code says nothing', () => {
    const failed = end('error', { errorMessage: '529 overloaded' });
    const retry = { type: 'auto_retry_start', attempt: 1, errorMessage: '529 overloaded' };
    const { events, end: last } = read('pi', [
      { type: 'session', id: 'p1' },
      failed,
      retry,
      { type: 'message_end', message: message('stop') },
      end('stop'),
    ]);
    expect(last).toEqual(said('Done.'));
    expect(kinds(events)).toEqual(['session', 'retry', 'text', 'usage']);
    expect(read('pi', [failed, retry]).wasOver).toBe(false);
    expect(ended('pi', [end('stop'), retry, failed], exited(0))).toMatchObject(failedAs('overloaded', 'OVERLOADED'));
    expect(ended('pi', [end('aborted')], exited(0))).toMatchObject({ status: 'error' });
  });
});

test('a line behind a byte order mark or signs for a terminal is read', () => {
  const lines = [{ type: 'thread.started', thread_id: 't1' }, { type: 'turn.completed' }].map((line) =>
    JSON.stringify(line),
  );
  const { events, end } = read('codex', [`\ufeff${lines[0]}`, `\u001b[?25l\r${lines[1]}`]);
  expect(kinds(events)).toEqual(['session']);
  expect(end).toEqual(said(''));
});

describe('a CLI that ends before its turn', () => {
  const usage = '  --delete-session  Delete a session by its index\n  --prompt  Deprecated\n';

  test.each([
    ['claude', "error: unknown option '--permission-prompt-tool'"],
    ['codex', `error: unexpected argument '--skip-git-repo-check' found\n\nUsage: codex exec [OPTIONS]\n`],
    ['gemini', `${usage}\nUnknown argument: session-id`],
    ['opencode', `flag provided but not defined: -format\n${usage.repeat(20)}`],
  ] as const)('%s: for an argument that its version does not have is refused, and says which', (name, stderr) => {
    const end = ended(name, [], exited(2, stderr));
    expect(end).toMatchObject(failedAs('refused', 'BAD_REQUEST'));
    const line = stderr.split('\n').find((one) => /unknown|unexpected|not defined/i.test(one)) ?? '';
    const { message } = (end as Extract<typeof end, { readonly status: 'error' }>).error;
    expect(message).toContain(`exit code 2, it does not take how it was started: ${line.replace('error: ', '')}`);
    expect(message).toContain('`troupe harnesses`');
  });

  test('with words on its output only shows them, and goes by none of them', () => {
    expect(ended('claude', ['Rate limits: I think about them.'], exited(1))).toMatchObject({
      class: 'crashed',
      error: { code: 'NO_RESULT', message: expect.stringMatching(/exit code 1 .*: Rate limits: I think/s) as string },
    });
  });
});
