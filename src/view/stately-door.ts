/**
 * The door to Stately's inspector protocol: a WebSocket on loopback, as `createWebSocketInspector` of `@statelyai/inspect` and its receivers
 * speak it. Web pages may knock only when they are served by this machine.
 */
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

/** What {@link statelyDoor} needs. */
export interface StatelyDoorOptions {
  /** 0 for any free one; the protocol's own default is 8080. */
  readonly port: number;
  /** Hears each message of an app; false for what is none of the protocol. */
  take?(message: unknown): boolean;
  /** What each who connects is told first. */
  greeting?(): AsyncIterable<object>;
}

/** An open door. */
export interface StatelyDoor {
  /** `ws://127.0.0.1:<port>`. */
  readonly url: string;
  /** Tells everybody who is connected. */
  tell(message: object): void;
  close(): Promise<void>;
}

/** Longest message, bytes; connections at once; what may wait for one that does not read, bytes. */
const messageMax = 4_000_000;
const connectionsMax = 32;
const waitingMax = 16_000_000;
/** Messages that wait at most for one that is still being told what was. */
const laterMax = 100_000;

/** Opens the door; resolves when it listens. */
export async function statelyDoor({ port, take, greeting }: StatelyDoorOptions): Promise<StatelyDoor> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port,
    maxPayload: messageMax,
    perMessageDeflate: false,
    verifyClient: ({ origin }: { readonly origin: string }) => isOwn(origin) && server.clients.size < connectionsMax,
  });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  server.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('close', () => later.delete(socket));
    socket.on('message', (data, isBinary) => {
      if (isBinary || take === undefined) return;
      let message: unknown;
      try {
        message = JSON.parse((data as Buffer).toString('utf8'));
      } catch {
        return;
      }
      take(message);
    });
    if (greeting !== undefined) void greet(socket, greeting());
  });
  /** What has come for those who are still being told what was. */
  const later = new Map<WebSocket, object[]>();
  const send = (socket: WebSocket, message: object) => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > waitingMax) socket.terminate();
    else socket.send(JSON.stringify(message));
  };
  const greet = async (socket: WebSocket, messages: AsyncIterable<object>) => {
    later.set(socket, []);
    try {
      for await (const message of messages) {
        if (socket.readyState !== socket.OPEN) break;
        // As fast as it reads: what was may be more than may wait.
        await new Promise((resolve) => socket.send(JSON.stringify(message), resolve));
      }
    } catch {
      socket.terminate();
    }
    const come = later.get(socket) ?? [];
    later.delete(socket);
    for (const message of come) send(socket, message);
  };
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tell(message) {
      for (const socket of server.clients) {
        const waits = later.get(socket);
        if (waits === undefined) send(socket, message);
        else if (waits.push(message) > laterMax) socket.terminate();
      }
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of server.clients) socket.terminate();
        server.close(() => resolve());
      }),
  };
}

/** True for programs, which name no origin, and for pages of this machine. */
export function isOwn(origin: string | undefined): boolean {
  if (origin === undefined || origin === '') return true;
  try {
    return ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(origin).hostname);
  } catch {
    return false;
  }
}
