/** A real group whose members' mailboxes are served over MCP, and the two kinds of client that come to it: the SDK's, and raw HTTP. */
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect as connectSocket, type Socket } from 'node:net';
import { Client, StreamableHTTPClientTransport, type CallToolResult } from '@modelcontextprotocol/client';
import { onTestFinished } from 'vitest';
import {
  defineProcess,
  openRun,
  type Harness,
  type JsonValue,
  type Run,
  type RunOptions,
  type RunResult,
} from 'troupe';
import { ok, type Attempt } from 'troupe/harness';
import { memoryStore, type MemoryStore } from 'troupe/journal';
import { fanOut } from 'troupe/machines';
import {
  mailboxHost,
  type MailboxHostOptions,
  type ServedMailbox,
} from '../../../../src/harness/agent/mcp/mailbox-host.ts';

/** A member whose attempt is under way. */
export interface Served {
  readonly attempt: Attempt;
  readonly mailbox: ServedMailbox;
  /** Ends the attempt well. */
  finish(output?: JsonValue): void;
}

/** A run of one group `talk` whose members are performed by whoever holds their tokens. */
export interface Group {
  readonly run: Run;
  readonly store: MemoryStore;
  readonly end: Promise<RunResult>;
  /** The newest attempt of a member, once it is served. */
  member(id: string, attempt?: number): Promise<Served>;
  /** Data of all entries of a type. */
  entries(type: string): Promise<readonly Readonly<Record<string, JsonValue>>[]>;
}

/** Opens the group; `store`: of an earlier host that is gone. */
export async function groupOf(
  ids: readonly string[],
  bounds: MailboxHostOptions = {},
  more: Partial<RunOptions> & { readonly store?: MemoryStore } = {},
): Promise<Group> {
  const host = mailboxHost(bounds);
  const store = more.store ?? memoryStore();
  const served = new Map<string, Served>();
  const waiting = new Set<() => void>();
  const agent: Harness = {
    writesOutput: false,
    async perform(attempt) {
      const mailbox = await host.serve(attempt);
      const output = await new Promise<JsonValue>((resolve) => {
        attempt.signal.addEventListener('abort', () => resolve('stopped'), { once: true });
        served.set(`${attempt.member} ${attempt.attempt}`, {
          attempt,
          mailbox,
          finish: (value = null) => resolve(value),
        });
        for (const look of waiting) look();
      });
      await mailbox.close();
      return ok(output);
    },
  };
  const process = defineProcess('talk', (ctx) => {
    return ctx.group('talk', fanOut, { members: ids.map((id) => ({ id, harness: 'agent' })) }).output;
  });
  const run = await openRun({ run: 'run', harnesses: { agent }, ...more, store, process });
  const end = run.drive();
  end.catch(() => {});
  onTestFinished(async () => {
    for (const { finish } of served.values()) finish();
    await run.close();
  });
  return {
    run,
    store,
    end,
    member: (id, attempt = 1) =>
      new Promise((resolve) => {
        const look = () => {
          const found = served.get(`${id} ${attempt}`);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    async entries(type) {
      const found: Readonly<Record<string, JsonValue>>[] = [];
      const journal = await store.open('run');
      for await (const batch of journal.read())
        for (const entry of batch)
          if (entry.type === type) found.push(entry.data as Readonly<Record<string, JsonValue>>);
      await journal.close();
      return found;
    },
  };
}

/** What a tool said: the one JSON text of its result. */
export type Said = Readonly<Record<string, JsonValue>> & {
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string; readonly remedy: string };
  readonly mail?: { readonly label: string; readonly letters: readonly Letter[]; readonly more?: string };
};

/** A letter as an agent is shown it. */
export interface Letter {
  readonly id: string;
  readonly from: string;
  readonly type: string;
  readonly body: JsonValue;
}

/** Reads a result. */
export function saidIn({ content, isError }: CallToolResult): Said {
  const [first, ...rest] = content;
  if (first?.type !== 'text' || rest.length > 0) throw new Error(`not one text: ${JSON.stringify(content)}`);
  const said = JSON.parse(first.text) as Said;
  if (said.ok === (isError ?? false)) throw new Error(`ok and isError disagree: ${first.text}`);
  return said;
}

/** The SDK's own client, connected. */
export interface Connected {
  readonly client: Client;
  call(name: string, args?: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<Said>;
}

/** Connects to a served mailbox. */
export async function connect(
  { mcpServer }: ServedMailbox,
  {
    hasDiscovery = false,
    headers,
  }: { readonly hasDiscovery?: boolean; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Connected> {
  const client = new Client(
    { name: 'test', version: '1' },
    hasDiscovery ? { versionNegotiation: { mode: 'auto' } } : {},
  );
  const transport = new StreamableHTTPClientTransport(new URL(mcpServer.url), {
    requestInit: { headers: { ...mcpServer.headers, ...headers } },
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return {
    client,
    async call(name, args = {}, signal) {
      const options = { timeout: 60_000, ...(signal === undefined ? {} : { signal }) };
      return saidIn((await client.callTool({ name, arguments: { ...args } }, options)) as CallToolResult);
    },
  };
}

/** What came back over plain HTTP. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A raw request: headers as given, over those that a client sends. */
export function raw(
  { url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  body: Buffer | object | string | undefined,
  {
    method = 'POST',
    more = {},
    path,
  }: { readonly method?: string; readonly more?: Readonly<Record<string, string>>; readonly path?: string } = {},
): Promise<RawAnswer> {
  const { hostname, port, pathname } = new URL(url);
  const bytes = body === undefined || Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        path: path ?? pathname,
        method,
        agent: false,
        headers: {
          'content-type': 'application/json',
          'accept': 'application/json, text/event-stream',
          ...headers,
          ...more,
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        response.once('error', reject);
      },
    );
    sent.once('error', reject);
    sent.end(bytes);
  });
}

/** Two members of one group. */
export async function members(bounds: MailboxHostOptions = {}) {
  const group = await groupOf(['a', 'b'], bounds);
  return { group, a: await group.member('a'), b: await group.member('b') };
}

/** A JSON-RPC request. */
export const rpc = (method: string, params?: object, id: number | string = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params === undefined ? {} : { params }),
});

/** A connection of bytes; gone after the test. */
export function socketTo({ mailbox }: Served): { readonly socket: Socket; readonly closed: Promise<string> } {
  const { hostname, port } = new URL(mailbox.mcpServer.url);
  const socket = connectSocket(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  socket.on('error', () => {});
  return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve(heard))) };
}

/** The head of a request with this member's token. */
export const headOf = (served: Served, lines: readonly string[] = []) => {
  const { host, pathname } = new URL(served.mailbox.mcpServer.url);
  return [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    'Content-Type: application/json',
    `Authorization: ${served.mailbox.mcpServer.headers['Authorization']}`,
    ...lines,
    '',
    '',
  ].join('\r\n');
};
