/** Who asks for too much, or too slowly: told so or let go, and nobody else suffers. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { headOf, members, raw, rpc, socketTo } from './group-of.ts';

const ping = rpc('ping');

describe('too much', () => {
  test.each([
    ['a body over the bound, announced', { 'content-length': '2000000' }, 413],
    ['a body over the bound, in pieces', { 'transfer-encoding': 'chunked' }, 413],
  ])('%s', async (_what, more, status) => {
    const { a } = await members();
    const body = Buffer.alloc(2_000_000, 0x20);
    const answer = await raw(a.mailbox.mcpServer, body, { more }).catch((error: NodeJS.ErrnoException) => error.code);
    // Who goes on sending may find the door shut before it hears why.
    if (typeof answer === 'object') expect(answer.status).toBe(status);
    else expect(answer).toMatch(/^(EPIPE|ECONNRESET)$/);
    expect((await raw(a.mailbox.mcpServer, ping)).status).toBe(200);
  });

  test('a body at the bound is read', async () => {
    const { a } = await members({ bodyBytesMax: 1_000 });
    const text = JSON.stringify(ping);
    expect((await raw(a.mailbox.mcpServer, text.padEnd(1_000))).status).toBe(200);
    expect((await raw(a.mailbox.mcpServer, text.padEnd(1_001))).status).toBe(413);
  });

  test.each([
    ['text/plain', 'content-type', 415],
    ['application/x-www-form-urlencoded', 'content-type', 415],
    ['application/jsonx', 'content-type', 415],
    ['gzip', 'content-encoding', 415],
    ['application/json; charset=utf-8', 'content-type', 200],
  ])('%s as %s', async (value, header, status) => {
    const { a } = await members();
    expect((await raw(a.mailbox.mcpServer, ping, { more: { [header]: value } })).status).toBe(status);
  });

  test('a head over the bound, and a path over the bound', async () => {
    const { a } = await members();
    expect((await raw(a.mailbox.mcpServer, ping, { more: { 'x-much': 'x'.repeat(20_000) } })).status).toBe(431);
    expect((await raw(a.mailbox.mcpServer, ping, { path: `/mcp/${'x'.repeat(5_000)}` })).status).toBe(414);
  });

  test('requests of one member in a minute: it is told when to come back, others go on', async () => {
    let now = 1_000_000;
    const clock = { now: () => now, wakeAt: () => () => {} };
    const { a, b } = await members({ requestsPerMinuteMax: 6, clock });
    const ask = async () => (await raw(a.mailbox.mcpServer, ping)).status;
    for (let n = 0; n < 6; n += 1) expect(await ask()).toBe(200);
    const { status, headers } = await raw(a.mailbox.mcpServer, ping);
    expect([status, headers['retry-after']]).toEqual([429, '10']);
    expect((await raw(b.mailbox.mcpServer, ping)).status).toBe(200);
    now += 9_999;
    expect(await ask()).toBe(429);
    now += 1;
    expect(await ask()).toBe(200);
    // A batch counts as what is in it.
    now += 40_000;
    expect(
      (
        await raw(
          a.mailbox.mcpServer,
          [1, 2, 3, 4, 5].map((id) => rpc('ping', {}, id)),
        )
      ).status,
    ).toBe(429);
    now += 60_000;
    expect(
      (
        await raw(
          a.mailbox.mcpServer,
          [1, 2, 3, 4, 5].map((id) => rpc('ping', {}, id)),
        )
      ).status,
    ).toBe(200);
  });

  test('requests of one member at the same time', async () => {
    const { group, a } = await members({ callsMax: 3 });
    const wait = (id: number) =>
      raw(a.mailbox.mcpServer, rpc('tools/call', { name: 'group_inbox', arguments: { wait_ms: 45_000 } }, id));
    const waiting = [wait(1), wait(2), wait(3)];
    await expect
      .poll(async () => (await raw(a.mailbox.mcpServer, ping)).status, { timeout: 10_000, interval: 20 })
      .toBe(429);
    for (const id of ['x', 'y', 'z']) await group.run.send('talk', { to: 'a', type: 'n', body: id, id });
    await Promise.race(waiting);
    await expect
      .poll(async () => (await raw(a.mailbox.mcpServer, ping)).status, { timeout: 10_000, interval: 20 })
      .toBe(200);
  });

  test('connections: further ones are closed, those that are there go on', async () => {
    const { a } = await members({ connectionsMax: 2 });
    const [first, second] = [socketTo(a), socketTo(a)];
    for (const { socket } of [first, second])
      if (socket.connecting) await new Promise((resolve) => socket.once('connect', resolve));
    expect(await socketTo(a).closed).toBe('');
    first.socket.write(headOf(a, ['Content-Length: 40', 'Connection: close']) + JSON.stringify(ping).padEnd(40));
    expect(await first.closed).toMatch(/^HTTP\/1\.1 200/);
  });

  test.each([
    ['says nothing', ''],
    ['never ends its head', 'POST /mcp/x HTTP/1.1\r\nHost: x\r\nX-A'],
    ['never ends its body', undefined],
  ])('a client that %s is sent away', async (_what, text) => {
    const { a } = await members({ headMsMax: 200, requestMsMax: 400 });
    const { socket, closed } = socketTo(a);
    socket.write(text ?? `${headOf(a, ['Content-Length: 100'])}{"jsonrpc"`);
    // Drip on, so that the connection is never idle.
    const drip = setInterval(() => socket.write(text === '' ? '' : 'x'), 50);
    onTestFinished(() => clearInterval(drip));
    expect(await closed).toMatch(text === '' ? /^$|408/ : /408/);
    expect((await raw(a.mailbox.mcpServer, ping)).status).toBe(200);
  });
});

test('bytes that come one by one, cut in the middle of a character, are one request', async () => {
  const { group, a } = await members();
  await group.member('b');
  const args = { to: 'b', type: 'note', body: 'Grüße, 世界 🦊', key: 'k' };
  const body = Buffer.from(JSON.stringify(rpc('tools/call', { name: 'group_send', arguments: args })));
  const { socket, closed } = socketTo(a);
  socket.setNoDelay(true);
  socket.write(headOf(a, [`Content-Length: ${body.length}`, 'Connection: close']));
  for (const byte of body) await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
  expect(await closed).toMatch(/^HTTP\/1\.1 200.*\\"sent\\":true/s);
  expect(await group.entries('message')).toMatchObject([{ body: 'Grüße, 世界 🦊' }]);
});
