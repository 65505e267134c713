/**
 * Linearizability as a history: every operation seems to happen at one moment between its invocation and its return (Herlihy and
 * Wing, 1990). Operations under way may have happened or not. The record and its rules are those of Stateright's
 * LinearizabilityTester, so that counts of states can be compared.
 */
import { canonical, type JsonValue } from '../../json.ts';
import type { Envelope, History } from './history.ts';

/** What the clients use, in one place and one after the other. */
export interface Sequential {
  readonly initial: JsonValue;
  /** What an operation changes, and what it returns. */
  apply(state: JsonValue, operation: JsonValue): { readonly state: JsonValue; readonly result: JsonValue };
}

/** Reads operations off messages. */
export interface LinearizableOptions {
  readonly object: Sequential;
  /** The operation that begins when this message is sent, and whose it is. */
  invoked(envelope: Envelope): { readonly client: string; readonly operation: JsonValue } | undefined;
  /** The result that this message, when it is delivered, brings to whom. */
  returned(envelope: Envelope): { readonly client: string; readonly result: JsonValue } | undefined;
}

/** Index of the last completed operation of each other client that had one, at the invocation. */
type Before = { readonly [client: string]: number };
type Completed = { readonly before: Before; readonly operation: JsonValue; readonly result: JsonValue };
type Pending = { readonly before: Before; readonly operation: JsonValue };

/** The record: a type, not an interface, so that it is JSON. */
export type Operations = {
  /** False for ever after a client began twice at once, or ended what it had not begun. */
  readonly isValid: boolean;
  readonly completed: { readonly [client: string]: readonly Completed[] };
  readonly pending: { readonly [client: string]: Pending };
};

/** What a table has of a client, whatever it is called. */
const of = <Value>(table: { readonly [client: string]: Value }, client: string): Value | undefined =>
  Object.hasOwn(table, client) ? table[client] : undefined;

/** A history whose property `linearizable` holds where the operations so far can be put in such an order. */
export function linearizable({ object, invoked, returned }: LinearizableOptions): History<Operations> {
  return {
    initial: { isValid: true, completed: {}, pending: {} },
    sent(record, envelope) {
      const begun = invoked(envelope);
      if (begun === undefined || !record.isValid) return record;
      const { client, operation } = begun;
      if (of(record.pending, client) !== undefined) return { ...record, isValid: false };
      const before = Object.fromEntries(
        Object.entries(record.completed).flatMap(([other, done]) =>
          other !== client && done.length > 0 ? [[other, done.length - 1] as const] : [],
        ),
      );
      return {
        isValid: true,
        completed: { ...record.completed, [client]: of(record.completed, client) ?? [] },
        pending: { ...record.pending, [client]: { before, operation } },
      };
    },
    delivered(record, envelope) {
      const ended = returned(envelope);
      if (ended === undefined || !record.isValid) return record;
      const { client, result } = ended;
      const { [client]: _begun, ...pending } = record.pending;
      const begun = of(record.pending, client);
      if (begun === undefined) return { ...record, isValid: false };
      const done: Completed = { ...begun, result };
      return {
        isValid: true,
        completed: { ...record.completed, [client]: [...(of(record.completed, client) ?? []), done] },
        pending,
      };
    },
    always: { linearizable: (record) => record.isValid && isLinearizable(record, object) },
  };
}

/** The sequential object of one value: `{ write: value }` returns null, `{ read: true }` returns the value. */
export function register(initial: JsonValue): Sequential {
  return {
    initial,
    apply: (state, operation) =>
      typeof operation === 'object' && operation !== null && 'write' in operation
        ? { state: (operation as { readonly write: JsonValue }).write, result: null }
        : { state, result: state },
  };
}

function isLinearizable({ completed, pending }: Operations, object: Sequential): boolean {
  const clients = Object.keys(completed).sort();
  const dead = new Set<string>();
  const may = (before: Before, done: { readonly [client: string]: number }) =>
    Object.entries(before).every(([other, index]) => (of(done, other) ?? 0) > index);

  const search = (state: JsonValue, done: { readonly [client: string]: number }, used: readonly string[]): boolean => {
    if (clients.every((client) => (of(done, client) ?? 0) === completed[client]?.length)) return true;
    const key = canonical([state, done, used]);
    if (dead.has(key)) return false;
    for (const client of clients) {
      const count = of(done, client) ?? 0;
      const next = completed[client]?.[count];
      if (next !== undefined) {
        if (!may(next.before, done)) continue;
        const after = object.apply(state, next.operation);
        const isRight = canonical(after.result) === canonical(next.result);
        if (isRight && search(after.state, { ...done, [client]: count + 1 }, used)) return true;
        continue;
      }
      const open = of(pending, client);
      if (open === undefined || used.includes(client) || !may(open.before, done)) continue;
      if (search(object.apply(state, open.operation).state, done, [...used, client].sort())) return true;
    }
    dead.add(key);
    return false;
  };
  return search(object.initial, {}, []);
}
