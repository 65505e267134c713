/** The viewer's server: this machine only, no foreign page, no change without the token, bounded, closed at its end. */
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { defineProcess, type Process } from 'troupe';
import { fanOut } from 'troupe/machines';
import { maskOf } from '../../src/cli/mask.ts';
import { TroupeError } from '../../src/error.ts';
import { openRecording } from '../../src/view/open-recording.ts';
import { viewServer, type Controls } from '../../src/view/server.ts';
import { finished, stage } from '../support/running.ts';

const process = defineProcess('seen', async (ctx) => {
  await ctx.group('work', fanOut, { members: [{ id: 'a' }, { id: 'b' }] }).output;
  return 1;
});

const token = 'a-token-of-the-test';

async function served(options: { readonly does?: Controls; mask?<Value>(value: Value): Value } = {}) {
  const played = stage(process as Process<never, unknown>, { '*': { status: 'ok', output: 1 } });
  await finished(played);
  const opened = openRecording({ journal: await played.store.open('run'), process: played.process });
  await opened.refresh();
  const server = await viewServer({
    title: 'run',
    opened: () => opened,
    page: '<!doctype html>',
    policy: `default-src 'none'`,
    port: 0,
    followEveryMs: 0,
    isLive: () => false,
    ...(options.does === undefined ? {} : { control: { token, does: options.does } }),
    ...(options.mask === undefined ? {} : { mask: options.mask }),
  });
  onTestFinished(() => server.close());
  return { port: Number(new URL(server.url).port), server, opened };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A request with any headers: what a browser or an attacker sends. */
function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const post = (headers: Record<string, string> = {}, body = '{}') => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body,
});

test('it answers on loopback and nowhere else', async () => {
  const { port } = await served();
  const others = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4');
  for (const { address } of others) {
    const isRefused = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: address, port });
      socket.once('connect', () => {
        socket.destroy();
        resolve(false);
      });
      socket.once('error', () => resolve(true));
    });
    expect(isRefused, address).toBe(true);
  }
  expect((await ask(port, '/')).status).toBe(200);
});

test('another host’s name, and pages of other origins, get nothing', async () => {
  const { port } = await served({ does: { cancel: () => Promise.resolve('done') } });
  for (const host of [
    'example.com',
    `example.com:${port}`,
    '127.0.0.1',
    `127.0.0.1:${port + 1}`,
    `localhost.example.com:${port}`,
  ]) {
    const answer = await ask(port, '/api/overview', { headers: { host } });
    expect(answer.status, host).toBe(421);
    expect(answer.text).not.toContain('entries');
  }
  for (const origin of [
    'https://example.com',
    'null',
    `http://127.0.0.1.example.com:${port}`,
    `http://localhost:${port + 1}`,
  ]) {
    expect((await ask(port, '/api/overview', { headers: { origin } })).status, origin).toBe(403);
    const answer = await ask(port, '/api/do/cancel', post({ origin, authorization: `Bearer ${token}` }));
    expect(answer.status, origin).toBe(403);
  }
  expect(
    (await ask(port, '/api/overview', { headers: { origin: `http://localhost:${port}`, host: `localhost:${port}` } }))
      .status,
  ).toBe(200);
});

test('nothing is done without the token, with another method or another type, or when the page only looks', async () => {
  let done = 0;
  const { port } = await served({
    does: {
      cancel: () => {
        done += 1;
        return Promise.resolve('cancelled');
      },
    },
  });
  const right = { authorization: `Bearer ${token}` };
  const refused: readonly (readonly [number, string, Parameters<typeof ask>[2]])[] = [
    [401, '/api/do/cancel', post()],
    [401, '/api/do/cancel', post({ authorization: `Bearer ${token}x` })],
    [401, '/api/do/cancel', post({ authorization: token })],
    [404, '/api/do/cancel', { headers: right }],
    [405, '/api/do/cancel', { method: 'PUT', headers: right }],
    [415, '/api/do/cancel', post({ ...right, 'content-type': 'text/plain' })],
    [400, '/api/do/cancel', post(right, '[]')],
    [400, '/api/do/cancel', post(right, '{"a":')],
    [403, '/api/do/constructor', post(right)],
    [403, '/api/do/remove', post(right)],
    [413, '/api/do/cancel', post(right, JSON.stringify({ a: 'x'.repeat(1_100_000) }))],
  ];
  for (const [status, path, options] of refused) {
    const answer = await ask(port, path, options).catch(() => undefined);
    // A body that is too long may be cut off before the answer is read.
    if (answer !== undefined || status !== 413)
      expect(answer?.status, JSON.stringify(options).slice(0, 120)).toBe(status);
  }
  expect(done).toBe(0);
  expect(await ask(port, '/api/do/cancel', post(right))).toMatchObject({ status: 200, text: '{"said":"cancelled"}' });
  expect(done).toBe(1);
  const looks = await served();
  const answer = await ask(looks.port, '/api/do/cancel', post(right));
  expect(answer.status).toBe(403);
  expect(answer.text).toContain('--allow-control');
});

test('what is asked for wrongly is told in one sentence, and the server goes on', async () => {
  const { port, opened } = await served();
  const { length } = opened.recording;
  expect((await ask(port, '/api/window?from=x&to=3')).text).toContain('expected from=<whole number>, got `x`');
  expect((await ask(port, '/api/window?from=1&to=900000')).text).toContain('expected at most');
  expect((await ask(port, '/api/window?from=5&to=2')).status).toBe(200);
  expect((await ask(port, `/api/entry?at=${length + 1}`)).text).toContain(`the last is ${length}`);
  expect((await ask(port, '/api/entry?at=-1')).status).toBe(400);
  expect((await ask(port, '/api/constructor')).status).toBe(404);
  expect((await ask(port, '/../../etc/passwd')).status).toBe(404);
  expect((await ask(port, '//example.com/')).status).toBe(404);
  const { status, headers } = await ask(port, '/');
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'content-security-policy': `default-src 'none'`,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cache-control': 'no-store',
  });
  expect(headers['access-control-allow-origin']).toBeUndefined();
});

test('bytes that are no requests neither crash nor hang it', async () => {
  const { port } = await served();
  const garbage = [
    '\0\0\0',
    'GET',
    'GET / HTTP/9.9\r\n\r\n',
    'POST /api/do/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\n',
    `GET /${'a'.repeat(70_000)} HTTP/1.1\r\n\r\n`,
  ];
  await Promise.all(
    garbage.map(
      (bytes) =>
        new Promise<void>((resolve) => {
          const socket = connect({ host: '127.0.0.1', port }, () => socket.end(bytes));
          socket.on('data', () => {});
          socket.on('close', () => resolve());
          socket.on('error', () => resolve());
        }),
    ),
  );
  expect((await ask(port, '/api/overview')).status).toBe(200);
});

test('closing ends whoever follows', async () => {
  const { port, server } = await served();
  const ended = new Promise<void>((resolve) => {
    request({ host: '127.0.0.1', port, path: '/api/follow' }, (response) => {
      response.once('data', () => void server.close());
      response.on('error', () => {});
      response.on('close', () => resolve());
    }).end();
  });
  await ended;
  await expect(ask(port, '/')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
});

/** A run that is looked at while its journal cannot be read: until `mended`. */
async function unreadable(followEveryMs: number) {
  const { opened } = await served();
  let isMended = false;
  const failing = {
    ...opened,
    refresh: () => (isMended ? opened.refresh() : Promise.reject(new Error('line 7 is damaged'))),
  };
  const server = await viewServer({
    title: 'run',
    opened: () => failing,
    page: '<!doctype html>',
    policy: `default-src 'none'`,
    port: 0,
    followEveryMs,
    isLive: () => true,
    control: { token, does: { send: () => Promise.resolve('sent') } },
  });
  onTestFinished(() => server.close());
  const port = Number(new URL(server.url).port);
  const notices = async () =>
    (JSON.parse((await ask(port, '/api/overview')).text) as { readonly notices: readonly string[] }).notices;
  return { port, notices, mended: () => (isMended = true) };
}

test('what cannot be read is said on the page, as long as it is so', async () => {
  const { notices, mended } = await unreadable(5);
  await expect.poll(notices).toEqual(['what came since cannot be read: line 7 is damaged']);
  mended();
  await expect.poll(notices).toEqual([]);
});

test('what was done is not told to have failed because the run cannot be read afterwards', async () => {
  const { port, notices } = await unreadable(0);
  const answer = await ask(port, '/api/do/send', post({ authorization: `Bearer ${token}` }));
  expect(answer).toMatchObject({ status: 200, text: '{"said":"sent"}' });
  expect(await notices()).toHaveLength(1);
});

test('what is masked is not told by the answer to what was done either, nor by why it was not', async () => {
  const does: Controls = {
    send: () => Promise.resolve('message to patient-1 is recorded'),
    approve: () => Promise.reject(new TroupeError('UNKNOWN_GATE', 'expected one of: patient-1.')),
  };
  const { port } = await served({ does, mask: maskOf(String.raw`patient-\d|said|error|UNKNOWN`) });
  const authorized = post({ authorization: `Bearer ${token}` });
  expect(JSON.parse((await ask(port, '/api/do/send', authorized)).text)).toEqual({ said: 'message to █ is recorded' });
  expect(JSON.parse((await ask(port, '/api/do/approve', authorized)).text)).toEqual({
    error: '█_GATE: expected one of: █.',
    code: 'UNKNOWN_GATE',
  });
});
