/** Who has no business at a mailbox: refused, whatever else is right about the request. */
import { networkInterfaces } from 'node:os';
import { connect as connectSocket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect, members, raw, rpc, socketTo, type Served } from './group-of.ts';

const ping = rpc('ping');
const authorization = ({ mailbox }: Served) => mailbox.mcpServer.headers['Authorization'] ?? '';
const as = ({ mailbox }: Served, value: string | undefined) => ({
  url: mailbox.mcpServer.url,
  headers: value === undefined ? {} : { authorization: value },
});

describe('a token', () => {
  test('is 256 random bits, another for each attempt, and stands in no path', async () => {
    const { a, b } = await members();
    const tokens = [a, b].map((one) => authorization(one).replace('Bearer ', ''));
    for (const token of tokens) expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(new Set(tokens).size).toBe(2);
    expect(a.mailbox.mcpServer.url).not.toContain(tokens[0]);
    expect(new URL(a.mailbox.mcpServer.url).pathname).toMatch(/^\/mcp\/[\w-]{16}$/);
    expect(a.mailbox.mcpServer.url).not.toBe(b.mailbox.mcpServer.url);
  });

  test('that is wrong, another’s, cut, longer, empty, missing, or of another scheme is answered alike, and tells nothing', async () => {
    const { a, b } = await members();
    const right = authorization(a);
    const token = right.slice('Bearer '.length);
    const flipped = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`;
    const wrong = [
      `Bearer ${flipped}`,
      `${right.slice(0, -1)}`,
      `${right}A`,
      authorization(b),
      'Bearer ',
      'Bearer',
      undefined,
      `Basic ${token}`,
      token,
      `Bearer ${'x'.repeat(10_000)}`,
      `Bearer \u00e9\u00ff`,
    ];
    const answers = await Promise.all(wrong.map((value) => raw(as(a, value), ping)));
    // A path that nobody has is no different from a wrong token.
    answers.push(
      await raw(as(a, right), ping, { path: '/mcp/AAAAAAAAAAAAAAAA' }),
      await raw(as(a, right), ping, { path: '/' }),
    );
    const seen = new Set(
      answers.map(({ status, text, headers: { date: _date, ...headers } }) => JSON.stringify([status, text, headers])),
    );
    expect([...seen]).toEqual([
      expect.stringMatching(/^\[401,"\{\\"jsonrpc\\":\\"2.0\\",\\"id\\":null,.*expected the token of this mailbox/),
    ]);
    expect(a.mailbox.lastHeardAt()).toBeUndefined();
    expect((await raw(as(a, right), ping)).status).toBe(200);
    expect((await raw(as(a, right.replace('Bearer', 'bearer')), ping)).status).toBe(200);
  });

  test('of an attempt that has ended is refused, while others go on', async () => {
    const { a, b } = await members();
    await a.mailbox.close();
    expect((await raw(a.mailbox.mcpServer, ping)).status).toBe(401);
    expect((await raw(b.mailbox.mcpServer, ping)).status).toBe(200);
  });

  test('is in no entry, no answer and no error', async () => {
    const { group, a, b } = await members();
    const { call } = await connect(a.mailbox);
    const said = [
      await call('group_members'),
      await call('group_send', { to: 'nobody', body: 'x' }),
      await call('group_send', { to: 'b', body: 'x', key: 'k' }),
      await raw(as(a, 'Bearer wrong'), ping),
      await raw(a.mailbox.mcpServer, '{'),
    ];
    a.finish('done');
    b.finish('done');
    await group.end;
    const journal = await group.store.open('run');
    for await (const batch of journal.read()) said.push(batch as never);
    const everything = JSON.stringify(said);
    for (const one of [a, b]) expect(everything).not.toContain(authorization(one).slice('Bearer '.length));
    expect(everything).toContain('"type":"message"');
  });
});

describe('from elsewhere', () => {
  test.each([
    'evil.example',
    'evil.example:PORT',
    '127.0.0.1',
    '127.0.0.1:1',
    '0.0.0.0:PORT',
    '[::1]:PORT',
    '127.0.0.1.evil.example:PORT',
  ])('Host `%s` is refused, with the right token too', async (host) => {
    const { a } = await members();
    const { port } = new URL(a.mailbox.mcpServer.url);
    const answer = await raw(a.mailbox.mcpServer, ping, { more: { host: host.replace('PORT', port) } });
    expect([answer.status, a.mailbox.lastHeardAt()]).toEqual([403, undefined]);
  });

  test.each([
    'http://evil.example',
    'null',
    'https://127.0.0.1:PORT',
    'http://127.0.0.1',
    'http://127.0.0.1:1',
    'file://',
    'http://127.0.0.1:PORT.evil.example',
    '',
  ])('Origin `%s` is refused, with the right token too', async (origin) => {
    const { a } = await members();
    const { port } = new URL(a.mailbox.mcpServer.url);
    const answer = await raw(a.mailbox.mcpServer, ping, { more: { origin: origin.replace('PORT', port) } });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([403, undefined]);
  });

  test.each([
    ['HTTP/1.0', 403],
    ['HTTP/1.1', 400],
  ])('no Host at all, in %s, is refused', async (version, status) => {
    const { a } = await members();
    const { socket, closed } = socketTo(a);
    const body = JSON.stringify(ping);
    const { pathname } = new URL(a.mailbox.mcpServer.url);
    const lines = [
      `POST ${pathname} ${version}`,
      `Authorization: ${authorization(a)}`,
      `Content-Length: ${body.length}`,
    ];
    socket.write([...lines, 'Content-Type: application/json', '', body].join('\r\n'));
    expect(await closed).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
  });

  test('no Origin, and our own, are let in', async () => {
    const { a } = await members();
    const { host, port } = new URL(a.mailbox.mcpServer.url);
    expect((await raw(a.mailbox.mcpServer, ping)).status).toBe(200);
    expect((await raw(a.mailbox.mcpServer, ping, { more: { origin: `http://${host}` } })).status).toBe(200);
    expect((await raw(a.mailbox.mcpServer, ping, { more: { host: `localhost:${port}` } })).status).toBe(200);
  });

  test('a preflight of a page is refused', async () => {
    const { a } = await members();
    const more = { 'origin': 'http://evil.example', 'access-control-request-method': 'POST' };
    expect((await raw(a.mailbox.mcpServer, undefined, { method: 'OPTIONS', more })).status).toBe(403);
  });

  test('nobody reaches it by another address of this machine', async () => {
    const { a } = await members();
    const { port } = new URL(a.mailbox.mcpServer.url);
    const others = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ address, family }) => address !== '127.0.0.1' && !(family === 'IPv6' && address.startsWith('fe80')));
    for (const { address } of [...others, { address: '127.0.0.2' }]) {
      const reached = await new Promise<string>((resolve) => {
        const socket = connectSocket(Number(port), address);
        socket.once('connect', () => resolve(`reached by ${address}`));
        socket.once('error', () => resolve('not reached'));
        onTestFinished(() => void socket.destroy());
      });
      expect(reached).toBe('not reached');
    }
  });
});
