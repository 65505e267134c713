/** What of two engines is compared, and how. */
import { isDeepStrictEqual } from 'node:util';
import { addressOf, Difference } from './live.ts';

// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

/** What of a snapshot both engines must agree on. */
export function view(snapshot: Loose): object | undefined {
  if (snapshot === undefined || snapshot.status === 'stopped') return { status: 'stopped' };
  const { status, value, context, historyValue, children, output, error, received, progress } = snapshot;
  return {
    status,
    value,
    order: value === undefined ? undefined : JSON.stringify(value),
    context: plain(context),
    history:
      historyValue === undefined
        ? undefined
        : Object.entries(historyValue).map(([id, nodes]) => [id, (nodes as Loose[]).map((node) => node.id)]),
    children: children === undefined ? undefined : Object.keys(children),
    output: plain(output),
    error: error === undefined ? undefined : { name: error.name, message: error.message },
    received,
    progress: plain(progress),
  };
}

function plain(value: Loose): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('sessionId' in value && 'ref' in value) return { ref: addressOf(value) };
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

/** Deliveries, one line each. */
export function names(derived: readonly { from: string; to: string; event: { type: string } }[]): string[] {
  return derived.map(({ from, to, event }) => `${from}>${to}:${event.type}`);
}

/** Throws a {@link Difference} unless both are equal. */
export function expectSame(what: string, ours: unknown, theirs: unknown): void {
  if (isDeepStrictEqual(ours, theirs)) return;
  throw new Difference(`${what} differ\n  ours   ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}`);
}
