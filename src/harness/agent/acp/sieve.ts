/**
 * What stands between an agent's messages and the SDK's connection.
 *
 * - Updates of a session are taken out here, at once and in their place: the SDK handles notifications in other microtasks than
 *   responses, so that a turn could end before its last text was heard; and it drops, with a line on our terminal, every
 *   update that its schema does not know.
 * - Nothing that is not a JSON-RPC message of at most 500 levels reaches the SDK, which would answer it, shout, or overflow its stack.
 */
import type { AnyMessage, Stream } from '@agentclientprotocol/sdk';
import { jsonDepthMax } from '../../../json.ts';
import { withoutMarks } from '../line-start.ts';

/** Messages in a row that mean nothing, before the agent counts as broken. */
export const garbageMax = 1_000;

/** Requests of the agent that wait for our answer at once; more is a broken agent. */
const requestsMax = 1_000;

/** Who hears what the SDK does not. */
export interface SieveListener {
  /** The parameters of one `session/update`, as they came. Must not throw. */
  onUpdate(params: unknown): void;
  /** Something that is no message of the protocol. Must not throw. */
  onGarbage(shown: string): void;
}

/** Both directions of one connection, sifted. */
export interface Sieve {
  /** For the SDK's `connect`. */
  readonly stream: Stream;
  /** Takes one message of the agent. Throws a RangeError when it is one thing too many that means nothing. */
  take(message: unknown): void;
  /** Takes one line of the agent's output. Throws like `take`. */
  takeLine(line: string): void;
  /** No further message comes; with an error: because of it. */
  end(error?: Error): void;
}

/** Makes a sieve in front of `send`, which takes our messages to the agent, in order. */
export function sieve(send: (message: AnyMessage) => Promise<void> | void, listener: SieveListener): Sieve {
  /** Ids of our requests that have no answer yet. */
  const asked = new Set<unknown>();
  /** Ids of the agent's requests that have no answer of ours yet. */
  const owed = new Set<unknown>();
  let garbage = 0;
  let isEnded = false;
  let incoming: ReadableStreamDefaultController<AnyMessage> | undefined;

  const readable = new ReadableStream<AnyMessage>({
    start: (controller) => void (incoming = controller),
    cancel: () => void (isEnded = true),
  });
  const writable = new WritableStream<AnyMessage>({
    async write(message) {
      if ('method' in message) {
        if ('id' in message) asked.add(message.id);
      } else owed.delete(message.id);
      await send(message);
    },
  });

  const refuse = (shown: string) => {
    garbage += 1;
    listener.onGarbage(shown);
    if (garbage > garbageMax) throw new RangeError(`${garbage} messages in a row that are none of the protocol`);
  };
  const pass = (message: object) => {
    garbage = 0;
    if (!isEnded) incoming?.enqueue(message as AnyMessage);
  };
  const take = (message: unknown) => {
    if (!isMessage(message)) return refuse(shownOf(message));
    if (message.method === undefined) {
      if (asked.delete(message.id)) pass(message);
      else refuse(shownOf(message));
    } else if (message.id === undefined) {
      garbage = 0;
      if (message.method === 'session/update') listener.onUpdate(message.params);
      else if (message.method === '$/cancel_request') pass(message);
    } else if (isId(message.id) && !owed.has(message.id)) {
      if (owed.size >= requestsMax) throw new RangeError(`more than ${requestsMax} requests at once`);
      owed.add(message.id);
      pass(message);
    } else refuse(shownOf(message));
  };
  /** An answer that we wait for behind words without a line break. Nothing else: what an agent logs of its messages is no message. */
  const answerIn = (line: string) => {
    const at = line.search(/\{\s*"(jsonrpc|id|result|error)"\s*:/);
    const found = at === -1 ? undefined : parsed(line.slice(at));
    if (found === undefined || !isMessage(found.value)) return undefined;
    if (found.value.method !== undefined || !asked.has(found.value.id)) return undefined;
    listener.onGarbage(line.slice(0, at));
    return found;
  };
  return {
    stream: { readable, writable },
    take,
    takeLine(given) {
      const line = withoutMarks(given);
      if (line.trim() === '') return;
      const message = parsed(line) ?? answerIn(line);
      if (message === undefined) refuse(line);
      else take(message.value);
    },
    end(error) {
      if (isEnded) return;
      isEnded = true;
      if (error === undefined) incoming?.close();
      else incoming?.error(error);
    },
  };
}

/** The JSON that `line` is; undefined when it is none. */
function parsed(line: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(line) as unknown };
  } catch {
    return undefined;
  }
}

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: unknown;
}

/** A JSON-RPC object that is not too deep for whoever looks at it after us. */
function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { jsonrpc, method } = value as Readonly<Record<string, unknown>>;
  if (jsonrpc !== '2.0' || (method !== undefined && typeof method !== 'string')) return false;
  return isWithin(value, jsonDepthMax);
}

/** Arrays and objects stand in each other at most `levels` deep. The value comes from JSON: it has no cycle. */
function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isWithin(inner, levels - 1));
}

function isId(id: unknown): boolean {
  return typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id));
}

/** One line about something that is no message; never deep, never long. */
function shownOf(message: unknown): string {
  if (typeof message !== 'object' || message === null) return String(message).slice(0, 200);
  return Array.isArray(message) ? 'a JSON array' : `a JSON object with ${Object.keys(message).slice(0, 8).join(', ')}`;
}
