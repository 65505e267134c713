/** The protocol as real agent programs speak it: raw HTTP requests in their words, and the SDK's client in both its ways. */
import { describe, expect, test } from 'vitest';
import { connect, groupOf, raw, rpc, type RawAnswer } from './group-of.ts';

const json = ({ text }: RawAnswer) => JSON.parse(text) as unknown;
const hello = (protocolVersion: string) =>
  rpc('initialize', {
    protocolVersion,
    capabilities: { roots: {} },
    clientInfo: { name: 'agent', title: 'An agent', version: '2.1' },
  });

async function member() {
  const group = await groupOf(['a']);
  return (await group.member('a')).mailbox;
}

describe('a client that knows a newer protocol', () => {
  test('is told at once that there is no `server/discover`, and goes on with `initialize`', async () => {
    const { mcpServer } = await member();
    const newer = '2026-07-28';
    const discover = rpc('server/discover', {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': newer,
        'io.modelcontextprotocol/clientInfo': { name: 'claude-code', version: '2.1.330' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    });
    const answer = await raw(mcpServer, discover, {
      more: { 'mcp-protocol-version': newer, 'mcp-method': 'server/discover' },
    });
    expect([answer.status, json(answer)]).toEqual([
      200,
      { jsonrpc: '2.0', id: 1, error: { code: -32_601, message: 'Method not found' } },
    ]);
    expect(json(await raw(mcpServer, hello('2025-11-25')))).toMatchObject({
      result: { protocolVersion: '2025-11-25' },
    });
  });

  test.each([true, false])('and the SDK’s client connects, asking first or not (%s)', async (hasDiscovery) => {
    const mailbox = await member();
    const { client, call } = await connect(mailbox, { hasDiscovery });
    await client.listTools();
    expect(client.getServerVersion()).toMatchObject({ name: 'group' });
    await client.ping();
    expect(mailbox.isJoined()).toBe(true);
    expect(await call('group_members')).toMatchObject({ ok: true, you: 'a' });
  });
});

test.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])(
  'version %s is agreed on when it is asked for',
  async (version) => {
    const { mcpServer } = await member();
    const answer = await raw(mcpServer, hello(version));
    expect(json(answer)).toMatchObject({
      id: 1,
      result: {
        protocolVersion: version,
        capabilities: { tools: {} },
        serverInfo: { name: 'group' },
        instructions: expect.any(String),
      },
    });
    expect(answer.headers['content-type']).toBe('application/json');
    const named = await raw(mcpServer, rpc('tools/list', {}, 'two'), { more: { 'mcp-protocol-version': version } });
    expect(json(named)).toMatchObject({ id: 'two', result: { tools: { length: 5 } } });
  },
);

test('a version that nobody knows is answered with our newest', async () => {
  const { mcpServer } = await member();
  expect(json(await raw(mcpServer, hello('1999-01-01')))).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
});

test.each(['GET', 'DELETE', 'PUT', 'HEAD'])(
  '%s is answered 405: there is no stream, and no session to end',
  async (method) => {
    const { mcpServer } = await member();
    const { status, headers } = await raw(mcpServer, undefined, { method, more: { accept: 'text/event-stream' } });
    expect([status, headers.allow]).toEqual([405, 'POST']);
  },
);

test('notifications and answers are taken with 202 and nothing', async () => {
  const { mcpServer } = await member();
  for (const body of [
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', method: 'notifications/roots/list_changed', params: {} },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 77, reason: 'AbortError' } },
    { jsonrpc: '2.0', id: 5, result: {} },
  ]) {
    const { status, text } = await raw(mcpServer, body);
    expect([status, text]).toEqual([202, '']);
  }
});

test.each([
  ['ping', {}, {}],
  ['resources/list', {}, { resources: [] }],
  ['resources/templates/list', {}, { resourceTemplates: [] }],
  ['prompts/list', { cursor: 'x' }, { prompts: [] }],
])('%s is answered, offered or not', async (method, params, result) => {
  const { mcpServer } = await member();
  expect(json(await raw(mcpServer, rpc(method, params)))).toEqual({ jsonrpc: '2.0', id: 1, result });
});

test.each([
  'logging/setLevel',
  'completion/complete',
  'tasks/list',
  'sampling/createMessage',
  'foo',
  '__proto__',
  'toString',
])('%s is no method of ours', async (method) => {
  const { mcpServer } = await member();
  expect(json(await raw(mcpServer, rpc(method, {})))).toMatchObject({ id: 1, error: { code: -32_601 } });
});

test('a session id, whatever it is, changes nothing: there are none', async () => {
  const { mcpServer } = await member();
  for (const id of ['', 'gone', 'x'.repeat(5_000), '../../etc/passwd']) {
    const { status, headers } = await raw(mcpServer, rpc('ping'), { more: { 'mcp-session-id': id } });
    expect([status, headers['mcp-session-id']]).toEqual([200, undefined]);
  }
});

test('a batch is answered as one; one with an id twice is refused', async () => {
  const { mcpServer } = await member();
  const answer = json(await raw(mcpServer, [rpc('ping', {}, 1), rpc('tools/list', {}, 2)]));
  expect(answer).toMatchObject([{ id: 1 }, { id: 2 }]);
  expect((await raw(mcpServer, [rpc('ping', {}, 1), rpc('ping', {}, 1)])).status).toBe(400);
});

test.each([
  ['no JSON', '{"jsonrpc":', 400, 'expected JSON in UTF-8'],
  ['nothing', '', 400, 'expected JSON in UTF-8'],
  ['JSON that is no message', '[1,2]', 400, expect.stringMatching(/Parse error/)],
  ['another version of JSON-RPC', { jsonrpc: '1.0', id: 1, method: 'ping' }, 400, expect.any(String)],
  ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 400, 'expected JSON in UTF-8'],
  ['half a character', Buffer.from('"é"').subarray(0, 2), 400, 'expected JSON in UTF-8'],
  ['JSON of 100,000 levels', '['.repeat(100_000) + ']'.repeat(100_000), 400, 'expected JSON of at most 200 levels'],
  ['levels that never end', '{"a":'.repeat(150_000), 400, 'expected JSON of at most 200 levels'],
])('%s is refused with one sentence', async (_what, body, status, message) => {
  const { mcpServer } = await member();
  const answer = await raw(mcpServer, body);
  expect([answer.status, json(answer)]).toMatchObject([status, { jsonrpc: '2.0', id: null, error: { message } }]);
  expect((await raw(mcpServer, rpc('ping'))).status).toBe(200);
});

test('brackets in a text are no levels', async () => {
  const { mcpServer } = await member();
  const line = `${'['.repeat(500)}\\"${'{'.repeat(500)}`;
  const answer = await raw(mcpServer, rpc('tools/call', { name: 'group_progress', arguments: { line } }));
  expect(answer.text).toContain(String.raw`{\"ok\":true}`);
});
