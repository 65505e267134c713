/**
 * The property lane of a counterexample: what its journal says of each property, at a position and along the whole run. Journals come
 * from anywhere: what is not of the expected shape is passed over.
 */
import type { Draft } from 'immer';
import type { Entry } from '../journal/port.ts';
import { keyFor } from './key.ts';
import type { Judged, PropertyLane, PropertyRow, PropertyState } from './model.ts';

/** Properties, and changes of them in all, that are listed; further ones are counted. */
const propertiesMax = 200;
const changesMax = 5_000;

const verdicts: ReadonlySet<unknown> = new Set(['holds', 'met', 'pending', 'unmet', 'violated']);

/** Nothing is judged. */
export const unjudged: Judged = { properties: {}, isOver: false };

/** The lane of a run that is no counterexample. */
export const emptyLane: PropertyLane = { rows: [], loop: null, changesHidden: 0 };

/** True of what says something of properties, and of nothing that happened. */
export function isJudgement({ type }: Pick<Entry, 'type'>): boolean {
  return type === 'check.properties' || type === 'check.loop';
}

/** Folds one entry. What comes after the violation is no part of the trace: nobody judged it. */
export function reduceJudged(judged: Draft<Judged>, position: number, entry: Entry): void {
  if (!entry.type.startsWith('check.')) {
    if (!judged.isOver) return;
    judged.isOver = false;
    for (const one of Object.values(judged.properties)) become(judged, one.name, one.kind, 'unknown', position);
    return;
  }
  if (entry.type === 'check.properties') {
    for (const { property, kind, state } of statesOf(entry))
      become(judged, property, kind, verdicts.has(state) ? (state as PropertyState['state']) : 'unknown', position);
  }
  if (entry.type === 'check.violated') {
    const { property, kind } = dataOf(entry);
    become(judged, textOf(property), textOf(kind), 'violated', position);
    judged.isOver = true;
  }
}

function become(
  judged: Draft<Judged>,
  name: string,
  kind: string,
  state: PropertyState['state'],
  position: number,
): void {
  const key = keyOf(kind, name);
  const known = Object.hasOwn(judged.properties, key) ? judged.properties[key] : undefined;
  if (known?.state === state) return;
  if (known === undefined && Object.keys(judged.properties).length >= propertiesMax) return;
  // Never in place: the value before belongs to a state before.
  judged.properties[key] = { name, kind, state, since: position };
}

/** Two properties of different kinds may have one name. */
const keyOf = (kind: string, name: string) => keyFor(`${kind} ${name}`);

/** The lane under way: entries are added as they come, in order. */
export interface LaneUnderWay {
  add(position: number, entry: Entry): void;
  lane(): PropertyLane;
}

/** A lane of nothing yet. */
export function propertyLane(): LaneUnderWay {
  const judged: Draft<Judged> = { properties: {}, isOver: false };
  const rows = new Map<
    string,
    PropertyRow & { readonly changes: { position: number; state: PropertyState['state'] }[] }
  >();
  let changes = 0;
  let changesHidden = 0;
  let loop: { from: number; to: number } | null = null;
  return {
    add(position, entry) {
      if (!entry.type.startsWith('check.') && !judged.isOver) return;
      if (entry.type === 'check.loop') loop = { from: position, to: position };
      if (entry.type === 'check.violated' && loop !== null) loop.to = position;
      reduceJudged(judged, position, entry);
      for (const [key, { name, kind, state, since }] of Object.entries(judged.properties)) {
        if (since !== position) continue;
        const row = rows.get(key) ?? { key, name, kind, changes: [] };
        rows.set(key, row);
        if (changes >= changesMax) changesHidden += 1;
        else row.changes.push({ position, state });
        changes += 1;
      }
    },
    lane: () => ({ rows: [...rows.values()], loop, changesHidden }),
  };
}

const dataOf = ({ data }: Entry) => (data ?? {}) as Readonly<Record<string, unknown>>;
const textOf = (value: unknown) => (typeof value === 'string' ? value : '');

function statesOf(
  entry: Entry,
): readonly { readonly property: string; readonly kind: string; readonly state: unknown }[] {
  const { states } = dataOf(entry);
  if (!Array.isArray(states)) return [];
  return (states as readonly unknown[]).flatMap((one) => {
    if (typeof one !== 'object' || one === null) return [];
    const { property, kind, state } = one as Readonly<Record<string, unknown>>;
    return typeof property === 'string' ? [{ property, kind: textOf(kind), state }] : [];
  });
}
