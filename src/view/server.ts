/**
 * The viewer's server: one page and a run's data, on loopback only. Reads are for whoever may open a port of this machine;
 * what changes a run needs a token besides. Requests that name another host or come from another origin are refused, so that no
 * web page can read or steer a run.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { JsonValue } from '../json.ts';
import { backSlice } from './causes.ts';
import type { Overview } from './model.ts';
import type { OpenedRecording } from './open-recording.ts';
import { windowMax } from './recording.ts';

/** What can be done to a run from the page. Each resolves to one sentence that says what was done. */
export type Controls = Readonly<Record<string, (argument: Readonly<Record<string, JsonValue>>) => Promise<string>>>;

/** What {@link viewServer} serves. */
export interface ViewServerOptions {
  readonly title: string;
  /** The run under view; another one after a choice was taken back. */
  opened(): OpenedRecording;
  /** Where this run and another part. */
  differences?(): Promise<unknown>;
  /** What could happen next, where that is chosen by hand. */
  choices?(): unknown;
  /** The page: one HTML document that needs nothing else. */
  readonly page: string;
  /** Value of the header Content-Security-Policy. */
  readonly policy: string;
  /** 0 for any free one. */
  readonly port: number;
  /** What may be done, and the token that it takes; absent: the page only looks. */
  readonly control?: { readonly token: string; readonly does: Controls };
  /** A run that may still grow: how often to look for new entries, ms; 0 for one that does not. */
  readonly followEveryMs: number;
  /** What is sent instead of what is there. Default: the same. */
  mask?<Value>(value: Value): Value;
  /** True while the run may grow. */
  isLive(): boolean;
}

/** A running server. */
export interface ViewServer {
  /** `http://127.0.0.1:<port>/`. */
  readonly url: string;
  /** Ends all connections and waits for them. */
  close(): Promise<void>;
}

/** Longest body of a request, bytes. */
const bodyMax = 1_000_000;
/** Listeners to one run at once. */
const followersMax = 64;

type Reply = (status: number, body: string, type?: string) => void;

/** Starts the server; resolves when it listens. */
export async function viewServer(options: ViewServerOptions): Promise<ViewServer> {
  const { control } = options;
  const masked = <Value>(value: Value): Value => options.mask?.(value) ?? value;
  const followers = new Set<ServerResponse>();
  let port = options.port;

  /** Why the run could not be read when it was last looked at; empty: it could. */
  let trouble: readonly string[] = [];
  const refresh = async (): Promise<void> => {
    try {
      await options.opened().refresh();
      trouble = [];
    } catch (error) {
      trouble = [`what came since cannot be read: ${error instanceof Error ? error.message : String(error)}`];
    }
  };

  const overview = (): Overview => {
    const opened = options.opened();
    const { notices, ...known } = opened.recording.overview();
    const isLive = options.isLive();
    return {
      ...known,
      notices: [...trouble, ...opened.notices, ...notices],
      title: options.title,
      isComplete: !isLive,
      isLive,
    };
  };
  /** What the page asks again after each change: the length without the charts, marks and properties. */
  const pulse = () => {
    const { charts: _, marks: __, lane: ___, ...rest } = overview();
    return rest;
  };

  const gets: Readonly<Record<string, (query: URLSearchParams) => unknown>> = {
    '/api/overview': () => ({
      ...overview(),
      canControl: control === undefined ? [] : Object.keys(control.does),
      isCompared: options.differences !== undefined,
    }),
    '/api/window': (query) => {
      const from = numberOf(query, 'from');
      const to = numberOf(query, 'to');
      if (to - from >= windowMax) throw new Refusal(400, `expected at most ${windowMax} frames, got ${to - from + 1}`);
      return options.opened().recording.window(from, to);
    },
    '/api/entry': async (query) => {
      const position = numberOf(query, 'at');
      const { entryAt, recording } = options.opened();
      const entry = await entryAt(position);
      if (entry === undefined) throw new Refusal(404, `there is no entry ${position}; the last is ${recording.length}`);
      return entry;
    },
    '/api/why': (query) => {
      const { recording } = options.opened();
      return backSlice(numberOf(query, 'at'), (position) => recording.causesOf(position));
    },
    '/api/differences': () => options.differences?.() ?? [],
    '/api/choices': () => options.choices?.() ?? [],
  };

  const follow = (request: IncomingMessage, response: ServerResponse) => {
    if (followers.size >= followersMax) throw new Refusal(503, `${followersMax} pages follow this run already`);
    response.writeHead(200, { ...headers('text/event-stream'), connection: 'keep-alive' });
    followers.add(response);
    const forget = () => followers.delete(response);
    request.on('close', forget);
    response.on('error', forget);
    response.write(`retry: 1000\nevent: pulse\ndata: ${JSON.stringify(masked(pulse()))}\n\n`);
  };
  const tell = () => {
    const line = `event: pulse\ndata: ${JSON.stringify(masked(pulse()))}\n\n`;
    for (const follower of followers) {
      // One that does not read is let go: it connects again, and loses nothing.
      if (follower.writableLength > bodyMax) follower.destroy();
      else follower.write(line);
    }
  };

  const headers = (type: string) => ({
    'content-type': type,
    'content-security-policy': options.policy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  });

  const refuseStrangers = ({ headers: { host, origin } }: IncomingMessage) => {
    const own = [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];
    if (host === undefined || !own.includes(host))
      throw new Refusal(421, `expected host ${own[0]}, got ${host ?? 'none'}`);
    if (origin !== undefined && !own.some((one) => origin === `http://${one}`))
      throw new Refusal(403, `requests from ${origin} are not answered`);
  };

  const act = async (request: IncomingMessage, name: string): Promise<unknown> => {
    const does = control !== undefined && Object.hasOwn(control.does, name) ? control.does[name] : undefined;
    if (control === undefined || does === undefined) {
      throw new Refusal(403, 'this page only looks; start it with --allow-control');
    }
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!isSame(given, control.token))
      throw new Refusal(401, 'the token is missing or wrong; use the address that was printed');
    if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
      throw new Refusal(415, 'expected a body of type application/json');
    const body = JSON.parse(await bodyOf(request)) as unknown;
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      throw new Refusal(400, 'expected a JSON object');
    const said = await does(body as Readonly<Record<string, JsonValue>>);
    // It is done, whether or not it can be read by now.
    await refresh();
    tell();
    return { said: masked(said) };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse, reply: Reply) => {
    refuseStrangers(request);
    // By hand: a path that begins with two slashes names no other host here.
    const [pathname = '/', query = ''] = (request.url ?? '/').split('?', 2);
    const searchParams = new URLSearchParams(query);
    if (request.method === 'POST' && pathname.startsWith('/api/do/')) {
      reply(200, JSON.stringify(await act(request, pathname.slice('/api/do/'.length))));
      return;
    }
    if (request.method !== 'GET') throw new Refusal(405, `expected GET, got ${request.method}`);
    if (pathname === '/') reply(200, options.page, 'text/html; charset=utf-8');
    else if (pathname === '/api/follow') follow(request, response);
    else if (Object.hasOwn(gets, pathname)) reply(200, JSON.stringify(masked(await gets[pathname]?.(searchParams))));
    else throw new Refusal(404, `there is no ${pathname} here`);
  };

  const server = createServer((request, response) => {
    const reply: Reply = (status, body, type = 'application/json') => {
      if (response.headersSent) return;
      // What was not read of a refused request is not waited for.
      const closing = request.complete ? {} : { connection: 'close' };
      response.writeHead(status, { ...headers(type), ...closing }).end(body);
    };
    answer(request, response, reply).catch((error: unknown) => {
      const status = error instanceof Refusal ? error.status : error instanceof SyntaxError ? 400 : 500;
      const code = (error as { readonly code?: unknown }).code;
      const message = error instanceof Error ? error.message : String(error);
      reply(
        typeof code === 'string' && status === 500 ? 409 : status,
        JSON.stringify({ error: masked(message), code }),
      );
    });
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 20_000;
  server.maxConnections = 256;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  ({ port } = server.address() as AddressInfo);

  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const standing = () =>
    JSON.stringify([options.opened().recording.length, options.isLive(), trouble, options.opened().notices]);
  let told = standing();
  let tookMs = 0;
  const look = async () => {
    const startedMs = performance.now();
    const refreshed = refresh().then(() => {
      tookMs = performance.now() - startedMs;
    });
    // A large run takes longer to read than one look: it is told as it grows.
    await Promise.race([refreshed, delay(options.followEveryMs)]);
    const now = standing();
    if (now !== told) tell();
    told = now;
    // Most of the time is not for looking.
    if (!isClosed) timer = setTimeout(() => void look(), Math.max(options.followEveryMs, 4 * tookMs));
  };
  if (options.followEveryMs > 0) timer = setTimeout(() => void look(), options.followEveryMs);

  return {
    url: `http://127.0.0.1:${port}/`,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      for (const follower of followers) follower.destroy();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

function numberOf(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  if (!/^\d{1,15}$/.test(text)) throw new Refusal(400, `expected ${name}=<whole number>, got \`${text}\``);
  return Number(text);
}

/** In a time that tells nothing of either. */
function isSame(given: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > bodyMax)
    throw new Refusal(413, `expected at most ${bodyMax} bytes`);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyMax) throw new Refusal(413, `expected at most ${bodyMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
