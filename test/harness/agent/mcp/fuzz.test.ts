/** Whatever comes with the right token, and whatever comes without: an answer or a closed connection, and the mailbox works on. */
import { connect as connectSocket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonValue } from 'troupe';
import { groupOf, raw, rpc, saidIn, type Served } from './group-of.ts';
import type { CallToolResult } from '@modelcontextprotocol/client';

const runs = Number(process.env['TROUPE_FUZZ_RUNS'] ?? 150);

/** A member, and a check that it is still served as before; whatever is thrown on the way out of a request would end the test run. */
async function target() {
  const group = await groupOf(['a', 'b'], { requestsPerMinuteMax: 1_000_000, headMsMax: 300, requestMsMax: 300 });
  const a = await group.member('a');
  const isWell = async () => {
    const { text } = await raw(a.mailbox.mcpServer, rpc('tools/call', { name: 'group_members', arguments: {} }));
    expect(saidIn((JSON.parse(text) as { result: CallToolResult }).result)).toMatchObject({ ok: true, you: 'a' });
  };
  return { group, a, isWell };
}

/** Sends bytes and resolves to what came back when the connection is closed. */
function thrown({ mailbox }: Served, parts: readonly Uint8Array[]): Promise<string> {
  const { hostname, port } = new URL(mailbox.mcpServer.url);
  return new Promise((resolve) => {
    const socket = connectSocket(Number(port), hostname);
    let heard = '';
    socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
    socket.on('error', () => {});
    socket.once('close', () => resolve(heard));
    for (const part of parts) socket.write(part);
    socket.end();
  });
}

test('bytes that are no HTTP', async () => {
  const { a, isWell } = await target();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), async (parts) => {
      expect(await thrown(a, parts)).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
    }),
    { numRuns: runs },
  );
  await isWell();
});

test('HTTP with a body of any bytes', async () => {
  const { a, isWell } = await target();
  const { host, pathname } = new URL(a.mailbox.mcpServer.url);
  const head = `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${a.mailbox.mcpServer.headers['Authorization']}\r\nConnection: close\r\n`;
  const length = fc.oneof(
    fc.constant(undefined),
    fc.integer({ min: -5, max: 2_000_000_000 }).map(String),
    fc.string({ maxLength: 8 }),
  );
  const type = fc.constantFrom('application/json', 'application/json;charset=utf-16', 'text/plain');
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), length, type, async (body, given, sort) => {
      const announced = given ?? String(body.length);
      const lines = `${head}Content-Type: ${sort}\r\nContent-Length: ${announced.replaceAll(/[\r\n]/g, '')}\r\n\r\n`;
      expect(await thrown(a, [Buffer.from(lines), body])).toMatch(/^$|^HTTP\/1\.1 (4\d\d|200|202) /);
    }),
    { numRuns: runs },
  );
  await isWell();
});

test('any JSON, as a whole message and as each part of one', async () => {
  const { a, isWell } = await target();
  const any = fc.jsonValue({ maxDepth: 6 });
  const methods = [
    'initialize',
    'tools/list',
    'tools/call',
    'ping',
    'notifications/cancelled',
    'resources/list',
    'server/discover',
    'prompts/get',
    '',
  ];
  const method = fc.oneof(fc.constantFrom(...methods), fc.string());
  const id = fc.oneof(fc.integer(), fc.string(), any);
  const message = fc.record(
    { jsonrpc: fc.oneof(fc.constant('2.0'), any), id, method, params: any },
    { requiredKeys: [] },
  );
  const body = fc.oneof(any, message, fc.array(message, { maxLength: 5 }));
  await fc.assert(
    fc.asyncProperty(body, async (value) => {
      const { status, text } = await raw(a.mailbox.mcpServer, JSON.stringify(value));
      expect([200, 202, 400]).toContain(status);
      if (text !== '') JSON.parse(text);
    }),
    { numRuns: runs * 2 },
  );
  await isWell();
});

test('any arguments of any tool: a result with a code that is no bug of ours, or what was asked for', async () => {
  const { group, a, isWell } = await target();
  const names = ['group_send', 'group_inbox', 'group_checkpoint', 'group_members', 'group_progress'];
  const known = [
    'to',
    'type',
    'body',
    'inReplyTo',
    'mode',
    'key',
    'cursor',
    'max',
    'id',
    'from',
    'name',
    'settled',
    'total',
    'data',
    'line',
    '__proto__',
    'constructor',
  ];
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.constantFrom<JsonValue>('b', '*', 'coordinator', 'steer', 1, 1e308, -0, ''),
    fc.string({ unit: 'binary' }),
  );
  const args = fc.dictionary(fc.oneof(fc.constantFrom(...known), fc.string()), value, { maxKeys: 4 });
  let done = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), args, async (name, given) => {
      const body = JSON.stringify(rpc('tools/call', { name, arguments: given }));
      const { status, text } = await raw(a.mailbox.mcpServer, Buffer.from(body));
      expect(status).toBe(200);
      const answer = JSON.parse(text) as { result?: CallToolResult; error?: unknown };
      if (answer.result === undefined) throw new Error(text);
      const said = saidIn(answer.result);
      expect(said.error?.code).not.toBe('BUG');
      if (said.ok) done += 1;
    }),
    { numRuns: runs * 2 },
  );
  expect(done).toBeGreaterThan(5);
  await isWell();
  // What got through is sound: the journal can be read, and says who spoke.
  for (const { from } of await group.entries('message')) expect(from).toBe('a');
});
