/**
 * One attempt's side of the mailbox server: answers the JSON-RPC messages that came under its token. Every request has a protocol
 * server of its own, so there are no sessions to lose: an agent that is started again goes on as if nothing had happened.
 */
import type { Clock } from '../../../clock.ts';
import type { Attempt } from '../../port.ts';
import { groupInstructions, groupTools, mailPart } from './group-tools.ts';
import { mailBag } from './mail-bag.ts';
import { paceOf } from './pace.ts';
import { toolServer, type Sdk } from './tool-server.ts';

/** Name of the server, as agents are told; tools are shown to models under it. */
export const serverName = 'group';

/** What became of an answer: handed to the system, taken in by the agent's side, or neither any more. The first end is the one that counts. */
export type Sent = 'arrived' | 'lost' | 'written';

/** What to write back. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly sent?: (how: Sent) => void;
}

/** An attempt's endpoint. */
export interface MemberEndpoint {
  /** Answers a parsed body. `signal`: whoever asked has gone. Never rejects; always answers soon after {@link MemberEndpoint.close}. */
  answer(body: unknown, signal: AbortSignal): Promise<Answer>;
  /** `initialize` and `tools/list` have been answered: when, ms since 1970. */
  joinedAt(): number | undefined;
  lastHeardAt(): number | undefined;
  /** Ends what waits. */
  close(): void;
}

/** What {@link memberEndpoint} needs. */
export interface EndpointOptions {
  readonly sdk: Sdk;
  readonly attempt: Attempt;
  readonly clock: Pick<Clock, 'now'>;
  readonly requestsPerMinuteMax: number;
  /** Requests that are answered at the same time. */
  readonly callsMax: number;
  joined(): void;
}

const rpcError = (id: unknown, code: number, message: string) => ({
  jsonrpc: '2.0',
  id: typeof id === 'string' || typeof id === 'number' ? id : null,
  error: { code, message },
});

/** An answer that is an error of the protocol. */
export function refusal(status: number, message: string, headers?: Readonly<Record<string, string>>): Answer {
  const text = JSON.stringify(rpcError(null, status === 400 ? -32_600 : -32_000, message));
  return { status, text, ...(headers === undefined ? {} : { headers }) };
}

type Rpc = Readonly<Record<string, unknown>>;

/** The parts of a body that are messages: one, or several where the protocol has batches. */
function messagesOf(body: unknown): readonly Rpc[] {
  const parts: readonly unknown[] = Array.isArray(body) ? body : [body];
  return parts.filter((part): part is Rpc => typeof part === 'object' && part !== null);
}

/** Makes the endpoint of an attempt. */
export function memberEndpoint(options: EndpointOptions): MemberEndpoint {
  const { sdk, attempt, clock, callsMax } = options;
  const bag = mailBag(attempt.mailbox, attempt.attempt > 1);
  const instructions = groupInstructions(attempt);
  const pace = paceOf(options.requestsPerMinuteMax, clock);
  /** Requests under way, and the ids by which they can be called off. */
  const underWay = new Map<AbortController, readonly unknown[]>();
  let isClosed = false;
  let heardAt: number | undefined;
  let isInitialized = false;
  let isListed = false;
  let joinedAt: number | undefined;

  const noteJoined = () => {
    if (joinedAt !== undefined || !isInitialized || !isListed) return;
    joinedAt = clock.now();
    options.joined();
  };

  const callOff = (message: Rpc) => {
    const { requestId } = (message['params'] ?? {}) as Rpc;
    if (requestId === undefined) return;
    for (const [controller, ids] of underWay) if (ids.includes(requestId)) controller.abort();
  };

  /** What the SDK answers, with the mail that it carries; undefined when it was called off first. */
  const protocolAnswer = async (body: unknown, off: AbortSignal): Promise<Answer | undefined> => {
    const onItsWay = bag.delivery();
    const server = toolServer(sdk, {
      name: serverName,
      instructions,
      tools: groupTools(attempt, bag, onItsWay),
      addToResults: {
        but: ['group_inbox'],
        // An attempt that has ended has no mail any more.
        more: () => bag.look(onItsWay, {}).then(mailPart, () => ({})),
      },
      answered() {
        isListed = true;
        noteJoined();
      },
    });
    const transport = new sdk.WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    const calledOff = new Promise<undefined>((resolve) => {
      off.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    let isAnswered = false;
    try {
      await server.connect(transport);
      const response = await Promise.race([transport.handleRequest(plainRequest(), { parsedBody: body }), calledOff]);
      if (response === undefined) return undefined;
      const text = await response.text();
      isAnswered = true;
      const sent = onItsWay.isEmpty() ? {} : { sent: (how: Sent) => onItsWay[how]() };
      return { status: response.status, text, ...sent };
    } finally {
      if (!isAnswered) onItsWay.lost();
      await transport.close();
    }
  };

  return {
    async answer(body, signal) {
      const messages = messagesOf(body);
      heardAt = clock.now();
      const waitMs = pace.refuse(Math.max(1, messages.length));
      if (waitMs > 0)
        return refusal(429, `too many requests; at most ${options.requestsPerMinuteMax} a minute`, {
          'Retry-After': String(Math.ceil(waitMs / 1_000)),
        });
      for (const message of messages) if (message['method'] === 'notifications/cancelled') callOff(message);
      // Who goes on calling has had its answers.
      if (messages.some((message) => message['method'] === 'tools/call')) bag.confirm();
      const ids = messages.filter((one) => one['method'] !== undefined && 'id' in one).map((one) => one['id']);
      if (new Set(ids).size < ids.length)
        return refusal(400, 'expected each request of a batch to have an id of its own');
      if (underWay.size >= callsMax)
        return refusal(429, `too many requests at the same time; at most ${callsMax}`, { 'Retry-After': '1' });
      const off = new AbortController();
      const leave = () => off.abort();
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted || isClosed) leave();
      underWay.set(off, ids);
      try {
        const answer = off.signal.aborted ? undefined : await protocolAnswer(body, off.signal);
        if (answer === undefined) return isClosed ? ended(ids) : { status: 202, text: '' };
        if (!isInitialized && answer.status === 200 && messages.some((one) => one['method'] === 'initialize')) {
          isInitialized = answer.text.startsWith('{"result":');
          noteJoined();
        }
        return answer;
      } catch (error) {
        return refusal(500, `internal error: ${(error as Error).name}`);
      } finally {
        signal.removeEventListener('abort', leave);
        underWay.delete(off);
        heardAt = clock.now();
      }
    },
    joinedAt: () => joinedAt,
    lastHeardAt: () => (underWay.size > 0 ? clock.now() : heardAt),
    close() {
      isClosed = true;
      bag.confirm();
      for (const controller of underWay.keys()) controller.abort();
    },
  };
}

/** The answer to requests that wait when their attempt ends. */
function ended(ids: readonly unknown[]): Answer {
  if (ids.length === 0) return { status: 202, text: '' };
  const errors = ids.map((id) => rpcError(id, -32_000, 'the attempt has ended'));
  return { status: 200, text: JSON.stringify(errors.length === 1 ? errors[0] : errors) };
}

/**
 * The request as the SDK's transport wants to see it. Host, origin, token and type have been checked, and the version that the
 * agent names does not matter here: one that is newer than ours asks `server/discover`, is told that there is no such method, and
 * goes on with `initialize`, where versions are agreed on.
 */
function plainRequest(): Request {
  const accept = 'application/json, text/event-stream';
  return new Request('http://127.0.0.1/', { method: 'POST', headers: { accept, 'content-type': 'application/json' } });
}
