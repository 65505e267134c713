/** From the first request to the last: who waits, who goes away, what is on its way meanwhile, and that nothing stays behind. */
import { connect as connectSocket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mailboxHost } from '../../../../src/harness/agent/mcp/mailbox-host.ts';
import { connect, groupOf, raw, rpc, saidIn, type Group, type Said, type Served } from './group-of.ts';
import type { CallToolResult } from '@modelcontextprotocol/client';

const soon = { timeout: 10_000, interval: 10 };
const inbox = (waitMs: number, id: number | string = 'wait') =>
  rpc('tools/call', { name: 'group_inbox', arguments: { wait_ms: waitMs } }, id);
const saidBy = (text: string): Said => saidIn((JSON.parse(text) as { result: CallToolResult }).result);
const tell = (group: Group, id: string) => group.run.send('talk', { to: 'a', type: 'n', body: id, id });
const readIn = async (group: Group) => (await group.entries('message.read')).flatMap(({ ids }) => ids);

/** Asks over a bare connection, without waiting for the answer; `go` ends the connection as a killed process does. */
function asked({ mailbox }: Served, body: object) {
  const { hostname, port, host, pathname } = new URL(mailbox.mcpServer.url);
  const text = JSON.stringify(body);
  const socket = connectSocket(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  let heard = '';
  socket.setEncoding('utf8').on('data', (part: string) => (heard += part));
  const headers = Object.entries({ ...mailbox.mcpServer.headers, 'Content-Type': 'application/json' });
  const lines = [`POST ${pathname} HTTP/1.1`, `Host: ${host}`, `Content-Length: ${Buffer.byteLength(text)}`];
  socket.write([...lines, ...headers.map(([name, value]) => `${name}: ${value}`), '', text].join('\r\n'));
  return { heard: () => heard, go: () => socket.resetAndDestroy() };
}

/** A host whose attempts nobody looks at but the test; its server ends with its last mailbox. */
async function portOf(served: Served): Promise<number> {
  return Number(new URL(served.mailbox.mcpServer.url).port);
}

const isListening = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connectSocket(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

describe('mail on its way', () => {
  test('to a client that has gone is the next reader’s: it was not read', async () => {
    const group = await groupOf(['a']);
    const a = await group.member('a');
    const gone = asked(a, inbox(45_000));
    await expect.poll(() => a.mailbox.lastHeardAt(), soon).toBeDefined();
    gone.go();
    await tell(group, '1');
    const { call } = await connect(a.mailbox);
    await expect.poll(async () => (await call('group_inbox')).mail?.letters, soon).toMatchObject([{ id: '1' }]);
    await expect.poll(() => readIn(group), soon).toEqual(['1']);
  });

  test('to a request that its client has called off is the next reader’s, and the request is answered at once', async () => {
    const group = await groupOf(['a']);
    const a = await group.member('a');
    const { client, call } = await connect(a.mailbox);
    const off = new AbortController();
    const waiting = call('group_inbox', { wait_ms: 45_000 }, off.signal);
    waiting.catch(() => {});
    const other = raw(a.mailbox.mcpServer, inbox(45_000, 'mine'));
    await client.ping();
    off.abort();
    await expect(waiting).rejects.toThrow(/abort/i);
    await raw(a.mailbox.mcpServer, {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 'mine', reason: 'timeout' },
    });
    expect(await other).toMatchObject({ status: 202, text: '' });
    await tell(group, '1');
    expect((await call('group_members')).mail?.letters).toMatchObject([{ id: '1' }]);
  });

  test('that is found only when its request has been called off is the next reader’s', async () => {
    const group = await groupOf(['a']);
    const { attempt } = await group.member('a');
    let holds = true;
    let isTaken = false;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    // A mailbox in another's view, as agents have it: here one that is slow to hand over what it has taken.
    const take: typeof attempt.mailbox.take = async (options) => {
      const taken = await attempt.mailbox.take(options);
      if (holds && taken.messages.length > 0) {
        holds = false;
        isTaken = true;
        await released;
      }
      return taken;
    };
    const served = await mailboxHost().serve({ ...attempt, mailbox: { ...attempt.mailbox, take } });
    onTestFinished(() => served.close());
    await tell(group, '1');
    const asking = raw(served.mcpServer, inbox(45_000, 'mine'));
    await expect.poll(() => isTaken, soon).toBe(true);
    await raw(served.mcpServer, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'mine' } });
    expect((await asking).status).toBe(202);
    release();
    const { call } = await connect(served);
    await expect.poll(async () => (await call('group_inbox')).mail?.letters, soon).toMatchObject([{ id: '1' }]);
    await expect.poll(() => readIn(group), soon).toEqual(['1']);
  });

  test('whoever is killed at whatever moment: every letter is heard, and is read once', async () => {
    const group = await groupOf(['a']);
    const a = await group.member('a');
    const letters = Array.from({ length: 60 }, (_, index) => `letter-${String(index).padStart(2, '0')}`);
    const heard = new Set<string>();
    const note = (text: string) => {
      for (const id of text.match(/letter-\d\d/g) ?? []) heard.add(id);
    };
    const sending = (async () => {
      for (const id of letters) await tell(group, id);
    })();
    let killedInVain = 0;
    for (let round = 0; round < 60; round += 1) {
      const one = asked(a, inbox(1_000, round));
      // A moment of another length each time, from none to longer than an answer takes.
      for (let turn = 0; turn < round % 12; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      if (round % 5 === 0) await expect.poll(one.heard, soon).toMatch(/\}$/);
      one.go();
      // An answer that was cut is none.
      if (one.heard().endsWith('}')) note(one.heard());
      else killedInVain += 1;
    }
    await sending;
    expect(killedInVain).toBeGreaterThan(5);
    const { call } = await connect(a.mailbox);
    for (;;) {
      const { mail } = await call('group_inbox', { wait_ms: 600 });
      if (mail === undefined) break;
      note(JSON.stringify(mail));
    }
    expect(letters.filter((id) => !heard.has(id))).toEqual([]);
    await expect.poll(async () => (await readIn(group)).length, soon).toBe(letters.length);
    expect(new Set(await readIn(group)).size).toBe(letters.length);
  });
});

describe('the end', () => {
  test('of an attempt answers those who wait, at once, and refuses the token', async () => {
    const group = await groupOf(['a', 'b'], { callsMax: 2 });
    const [a, b] = [await group.member('a'), await group.member('b')];
    const asking = async (id: number): ReturnType<typeof raw> => {
      const answer = await raw(a.mailbox.mcpServer, inbox(45_000, id));
      return answer.status === 429 ? await asking(id) : answer;
    };
    const waiting = [asking(1), asking(2)];
    // Both wait: there is no place for a third.
    await expect.poll(async () => (await raw(a.mailbox.mcpServer, rpc('ping'))).status, soon).toBe(429);
    const other = raw(b.mailbox.mcpServer, inbox(45_000, 3));
    const at = performance.now();
    await Promise.all([a.mailbox.close(), a.mailbox.close()]);
    const answers = await Promise.all(waiting);
    expect(performance.now() - at).toBeLessThan(2_000);
    for (const { text } of answers)
      expect(JSON.parse(text)).toMatchObject({ error: { code: -32_000, message: 'the attempt has ended' } });
    expect((await raw(a.mailbox.mcpServer, rpc('ping'))).status).toBe(401);
    await group.run.send('talk', { to: 'b', type: 'n', body: 'still here', id: 'x' });
    expect(saidBy((await other).text)).toMatchObject({ letters: 1 });
  });

  test('is not held up by a client that takes nothing in', async () => {
    const group = await groupOf(['a']);
    const a = await group.member('a');
    asked(a, inbox(45_000));
    await expect.poll(() => a.mailbox.lastHeardAt(), soon).toBeDefined();
    const at = performance.now();
    await a.mailbox.close();
    expect(performance.now() - at).toBeLessThan(2_000);
  });

  test('of the last attempt ends the server; the next one has another, all of a time share one', async () => {
    const host = mailboxHost();
    const group = await groupOf(['a', 'b']);
    const attempts = [(await group.member('a')).attempt, (await group.member('b')).attempt] as const;
    const portIn = ({ mcpServer: { url } }: Awaited<ReturnType<typeof host.serve>>) => Number(new URL(url).port);
    const [a, b] = await Promise.all([host.serve(attempts[0]), host.serve(attempts[1])]);
    expect(portIn(a)).toBe(portIn(b));
    await a.close();
    expect(await isListening(portIn(b))).toBe(true);
    // One that has only begun to speak belongs to nobody, and does not stay either.
    const half = connectSocket(portIn(b), '127.0.0.1');
    half.on('error', () => {});
    half.write('POST /mcp/x HTTP/1.1\r\nHost: ');
    const halfEnded = new Promise((resolve) => half.once('close', resolve));
    await new Promise((resolve) => half.once('connect', resolve));
    await b.close();
    await halfEnded;
    await b.close();
    await expect.poll(() => isListening(portIn(b)), soon).toBe(false);
    const again = await host.serve(attempts[0]);
    expect((await raw(again.mcpServer, rpc('ping'))).status).toBe(200);
    // One is closed while the next is being opened.
    const [next] = await Promise.all([host.serve(attempts[1]), again.close()]);
    expect((await raw(next.mcpServer, rpc('ping'))).status).toBe(200);
    await next.close();
  });

  test('of the run ends everything: attempts, waiting calls, the server', async () => {
    const group = await groupOf(['a', 'b']);
    const a = await group.member('a');
    const port = await portOf(a);
    const waiting = raw(a.mailbox.mcpServer, inbox(45_000));
    await expect.poll(() => a.mailbox.lastHeardAt(), soon).toBeDefined();
    await group.run.cancel('enough');
    await group.end;
    expect(JSON.parse((await waiting).text)).toHaveProperty('error');
    await expect.poll(() => isListening(port), soon).toBe(false);
  });
});

test('while a call waits the agent counts as heard; afterwards since then', async () => {
  const group = await groupOf(['a']);
  const a = await group.member('a');
  const one = asked(a, inbox(45_000));
  await expect.poll(() => a.mailbox.lastHeardAt(), soon).toBeDefined();
  const heardAt = a.mailbox.lastHeardAt() ?? Number.NaN;
  await expect.poll(() => (a.mailbox.lastHeardAt() ?? 0) - heardAt, soon).toBeGreaterThan(20);
  await tell(group, '1');
  await expect.poll(one.heard, soon).toMatch(/\}$/);
  const last = a.mailbox.lastHeardAt();
  await raw((await group.member('a')).mailbox.mcpServer, rpc('ping'), { more: { authorization: 'Bearer x' } });
  expect(a.mailbox.lastHeardAt()).toBe(last);
});

test('fifty members wait at once on one server: each hears what is for it, and nothing else', async () => {
  const ids = Array.from({ length: 50 }, (_, index) => `m${index}`);
  const group = await groupOf(ids);
  const all = await Promise.all(ids.map((id) => group.member(id)));
  expect(new Set(all.map(({ mailbox }) => new URL(mailbox.mcpServer.url).port)).size).toBe(1);
  const waiting = all.map(({ mailbox }, index) => raw(mailbox.mcpServer, inbox(45_000, index)));
  for (const { mailbox } of all) await expect.poll(() => mailbox.lastHeardAt(), soon).toBeDefined();
  await Promise.all(ids.map((id) => group.run.send('talk', { to: id, type: 'for', body: id, id })));
  const heard = (await Promise.all(waiting)).map(({ text }) => saidBy(text).mail?.letters.map(({ body }) => body));
  expect(heard).toEqual(ids.map((id) => [id]));
});

test('many calls over one connection leave nothing behind on it', async () => {
  const warnings: string[] = [];
  const note = ({ message }: Error) => warnings.push(message);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  const group = await groupOf(['a']);
  const { call } = await connect((await group.member('a')).mailbox);
  for (let n = 0; n < 40; n += 1) {
    await tell(group, `${n}`);
    expect((await call('group_members')).mail?.letters).toMatchObject([{ id: `${n}` }]);
  }
  await expect.poll(async () => (await readIn(group)).length, soon).toBe(40);
  expect(warnings).toEqual([]);
});
