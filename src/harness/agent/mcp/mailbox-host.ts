/**
 * The HTTP server of a host's mailboxes: one for the process, on loopback, while any attempt has its mailbox served. Every attempt
 * has a path and a token of its own; the path is no secret, the token is 256 random bits and says alone who speaks.
 *
 * Who comes from elsewhere is refused before anything is read: another Host (a name that was rebound to 127.0.0.1), any Origin
 * but our own (a page in a browser), a token that is not this path's. Nothing that is refused is logged.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, type Clock } from '../../../clock.ts';
import type { Attempt } from '../../port.ts';
import type { MailboxServer } from '../mailbox-server.ts';
import { memberEndpoint, refusal, serverName, type Answer, type MemberEndpoint, type Sent } from './member-endpoint.ts';
import { brokenWithinMs } from './mail-bag.ts';
import { readBody } from './read-body.ts';
import { bearerOf, digestOf, isSameToken, newToken, nobodysDigest, type TokenDigest } from './token.ts';
import { loadSdk } from './tool-server.ts';

/** Bounds of {@link mailboxHost}. */
export interface MailboxHostOptions {
  /** Bytes of one request's body. Default 1 MiB. */
  readonly bodyBytesMax?: number;
  /** Requests of one attempt in a minute. Default 1,200. */
  readonly requestsPerMinuteMax?: number;
  /** Requests of one attempt that are answered at the same time; those that wait for mail count. Default 32. */
  readonly callsMax?: number;
  /** Connections to the server; further ones are closed at once. Default 1,024. */
  readonly connectionsMax?: number;
  /** How long a client may take to send a request's head, and all of it, ms. Default 10,000 and 20,000. */
  readonly headMsMax?: number;
  readonly requestMsMax?: number;
  readonly clock?: Clock;
}

/** A served mailbox, and when its agent joined. */
export interface ServedMailbox extends MailboxServer {
  /** When `initialize` and `tools/list` had both been answered, ms since 1970. */
  joinedAt(): number | undefined;
  /** Resolves when the agent has joined; never when it does not. */
  readonly joined: Promise<void>;
}

/** Serves mailboxes; listens while there are any. */
export interface MailboxHost {
  /** Rejects when nothing can listen on loopback. */
  serve(attempt: Attempt): Promise<ServedMailbox>;
}

const loopback = '127.0.0.1';
const headBytesMax = 16 * 1_024;
const pathCharsMax = 256;
/** How long those who wait may take to take their last answer in, ms. */
const farewellMs = 250;

interface Place {
  readonly digest: TokenDigest;
  readonly endpoint: MemberEndpoint;
  /** Answers that are being written. */
  readonly open: Set<ServerResponse>;
}

/** Makes a host of mailboxes. */
export function mailboxHost(options: MailboxHostOptions = {}): MailboxHost {
  const { bodyBytesMax = 1_048_576, requestsPerMinuteMax = 1_200, callsMax = 32, clock = systemClock } = options;
  const places = new Map<string, Place>();
  /** Attempts that are served, or about to be. */
  let users = 0;
  let listening: Promise<Server> | undefined;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const { port } = request.socket.address() as AddressInfo;
    const refused = refuseStranger(request, port);
    if (refused !== undefined) return write(response, refused, false);
    const place = placeOf(request);
    if (place === undefined)
      return write(
        response,
        refusal(401, 'expected the token of this mailbox', { 'WWW-Authenticate': 'Bearer' }),
        false,
      );
    if (request.method !== 'POST')
      return write(response, refusal(405, 'expected POST: nothing is streamed here', { Allow: 'POST' }), false);
    place.open.add(response);
    response.once('close', () => place.open.delete(response));
    const body = await readBody(request, bodyBytesMax);
    if (body === undefined) return;
    if ('why' in body) return write(response, refusal(body.status, body.why), false);
    write(response, await place.endpoint.answer(body.value, gone.signal), true);
  };

  /** The place that this path and this token open, found in a time that does not depend on the token. */
  const placeOf = ({ url = '', headers }: IncomingMessage): Place | undefined => {
    const place = places.get(url.split('?')[0] ?? '');
    const isRight = isSameToken(digestOf(bearerOf(headers.authorization)), place?.digest ?? nobodysDigest);
    return isRight ? place : undefined;
  };

  const write = (response: ServerResponse, { status, text, headers, sent }: Answer, isKept: boolean): void => {
    if (response.destroyed) {
      sent?.('lost');
      return;
    }
    if (sent !== undefined) watch(response, sent);
    const type: Record<string, string> = text === '' ? {} : { 'Content-Type': 'application/json' };
    // What was refused may have a body that nobody reads.
    const end: Record<string, string> = isKept ? {} : { Connection: 'close' };
    const fixed = { 'Content-Length': Buffer.byteLength(text), 'Cache-Control': 'no-store' };
    response.writeHead(status, { ...type, ...fixed, ...end, ...headers });
    response.end(text);
  };

  const listen = async (): Promise<Server> => {
    const server = createServer({
      maxHeaderSize: headBytesMax,
      headersTimeout: options.headMsMax ?? 10_000,
      requestTimeout: options.requestMsMax ?? 20_000,
      connectionsCheckingInterval: Math.min(1_000, options.headMsMax ?? 10_000),
      // Longer than agents think between two calls of one step: a connection that closes under a request is an error to them.
      keepAliveTimeout: 75_000,
    });
    server.maxConnections = options.connectionsMax ?? 1_024;
    server.maxHeadersCount = 100;
    server.on('connection', watchClosing);
    server.on('request', (request, response) => {
      // A socket that breaks is told by `close`.
      request.on('error', () => {});
      response.on('error', () => {});
      handle(request, response).catch(() => response.destroy());
    });
    server.listen(0, loopback);
    await once(server, 'listening');
    // Trouble with one connection (no file handles left) ends that connection, not the host.
    server.on('error', () => {});
    // Whoever serves keeps the process alive, not the socket.
    server.unref();
    return server;
  };

  const leave = () => {
    users -= 1;
    if (users > 0 || listening === undefined) return;
    const last = listening;
    listening = undefined;
    last.then(
      (server) => {
        server.close();
        server.closeAllConnections();
      },
      () => {},
    );
  };

  return {
    async serve(attempt) {
      users += 1;
      try {
        if (listening === undefined) {
          const begun = listen();
          listening = begun;
          // The next one tries again.
          begun.catch(() => {
            if (listening === begun) listening = undefined;
          });
        }
        const [sdk, server] = await Promise.all([loadSdk(), listening]);
        let tellJoined = () => {};
        const joined = new Promise<void>((resolve) => {
          tellJoined = resolve;
        });
        const limits = { clock, requestsPerMinuteMax, callsMax };
        const endpoint = memberEndpoint({ sdk, attempt, ...limits, joined: () => tellJoined() });
        const path = `/mcp/${randomBytes(12).toString('base64url')}`;
        const token = newToken();
        const place: Place = { digest: digestOf(token), endpoint, open: new Set() };
        places.set(path, place);
        let closing: Promise<void> | undefined;
        const { port } = server.address() as AddressInfo;
        return {
          mcpServer: {
            name: serverName,
            url: `http://${loopback}:${port}${path}`,
            headers: { Authorization: `Bearer ${token}` },
          },
          isJoined: () => endpoint.joinedAt() !== undefined,
          joinedAt: endpoint.joinedAt,
          joined,
          lastHeardAt: endpoint.lastHeardAt,
          close: () =>
            (closing ??= (async () => {
              places.delete(path);
              endpoint.close();
              await farewell(place.open);
              leave();
            })()),
        };
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}

/**
 * Tells what becomes of an answer. HTTP has no word for "it arrived": an answer that was written out counts, unless the connection
 * breaks right after. A process that is killed with an answer unread breaks its connection; one that has read it ends it in order.
 */
function watch(response: ServerResponse, sent: (how: Sent) => void): void {
  const onClosed = closings.get(response.req.socket);
  let isWritten = false;
  const ended = (isBroken: boolean) => sent(isWritten && !isBroken ? 'arrived' : 'lost');
  onClosed?.add(ended);
  response.once('finish', () => {
    isWritten = true;
    sent('written');
  });
  response.once('close', () => {
    if (!isWritten) sent('lost');
    setTimeout(() => onClosed?.delete(ended), brokenWithinMs).unref();
  });
}

/** What is to be done when a connection closes, broken or in order. */
const closings = new WeakMap<Socket, Set<(isBroken: boolean) => void>>();

function watchClosing(socket: Socket): void {
  const onClosed = new Set<(isBroken: boolean) => void>();
  closings.set(socket, onClosed);
  socket.once('close', (isBroken) => {
    for (const ended of onClosed) ended(isBroken);
  });
}

/** Lets answers that are being written go out, for a moment, and ends the rest. */
async function farewell(open: ReadonlySet<ServerResponse>): Promise<void> {
  const until = performance.now() + farewellMs;
  while (open.size > 0 && performance.now() < until) await delay(5);
  for (const response of open) response.destroy();
}

/** What to answer somebody who has no business here, whatever the token. */
function refuseStranger({ url = '', headers }: IncomingMessage, port: number): Answer | undefined {
  const hosts = [`${loopback}:${port}`, `localhost:${port}`];
  if (!hosts.includes((headers.host ?? '').toLowerCase())) return refusal(403, 'expected the Host of this server');
  const { origin } = headers;
  if (origin !== undefined && !hosts.some((host) => origin.toLowerCase() === `http://${host}`))
    return refusal(403, 'expected no Origin: this is no place for pages');
  return url.length > pathCharsMax ? refusal(414, `expected a path of at most ${pathCharsMax} characters`) : undefined;
}
