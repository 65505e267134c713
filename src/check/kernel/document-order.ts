/** XState touch point: a machine's active states in the order of its definition, in whatever order they were entered. */
import type { JsonValue } from '../../json.ts';
import type { AnySnapshot } from '../../group/snapshot.ts';

interface Node {
  readonly id: string;
  readonly order: number;
  readonly states: Readonly<Record<string, Node>>;
}

/**
 * A written snapshot (see `persist`) with its active nodes, and the keys of its value, in document order. Two ways to enter the same
 * parallel states in different orders are one state then, as in every published count.
 */
export function inDocumentOrder(written: JsonValue, snapshot: AnySnapshot): JsonValue {
  const { _nodes, machine } = snapshot as AnySnapshot & {
    readonly _nodes?: readonly Node[];
    readonly machine?: { readonly root: Node };
  };
  if (_nodes === undefined || machine === undefined || written === null || typeof written !== 'object') return written;
  if (!('nodes' in written) || !('value' in written)) return written;
  const nodes = _nodes.toSorted((a, b) => a.order - b.order).map(({ id }) => id);
  const { value } = written as { readonly value: JsonValue };
  return { ...written, nodes, value: arranged(value, machine.root) };
}

function arranged(value: JsonValue, node: Node | undefined): JsonValue {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || node === undefined) return value;
  const given = value as { readonly [name: string]: JsonValue };
  const copy: Record<string, JsonValue> = {};
  for (const [name, state] of Object.entries(node.states))
    if (Object.hasOwn(given, name)) copy[name] = arranged(given[name] as JsonValue, state);
  return copy;
}
