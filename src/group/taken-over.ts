/** The turn of `group.migrated`: the group stands as the entry says, under the machine that it names. Pure, like every turn. */
import { isTroupeError, TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import { rootAddress } from './address.ts';
import { definitionOf, type Definition } from './definition.ts';
import type { GroupEvents } from './entries.ts';
import { restore } from './restore.ts';
import { runTurn, type Step } from './run-turn.ts';
import type { FoldedEntry } from './step.ts';

/** What the coordinator hears in the turn of its migration, if it has a transition for it. */
export const migratedType = 'troupe.migrated';

/** Folds the entry. Codes: NONDETERMINISM when no machine at hand can take the state up. */
export function takeOver(newest: Definition, stream: string, entry: FoldedEntry): Step {
  const { from, to, system: written, asks } = entry.data as unknown as GroupEvents['group.migrated'];
  const definition = definitionOf(newest, to.version);
  const place = { stream, seq: entry.seq, version: to.version };
  // Its states may have the same names, but their context is the newer one's: it would go on, and come to something else in silence.
  if (definition.version === from.version && from.version !== to.version)
    throw untaken(place, from.version, 'it is the older version that the group was taken over from');
  const system = systemOf(definition, written, place);
  if (system.end !== undefined) {
    return { system, effects: [{ id: `${entry.seq}:0`, type: 'end', ...system.end }], derived: [] };
  }
  const hears = definition.machine.events.includes(migratedType);
  if (!hears && asks.length === 0) return { system, effects: [], derived: [] };
  return runTurn(system, entry.seq, entry.at, (turn) => {
    for (const missing of asks) {
      if (missing.type !== 'emit') turn.outbox.ask(missing);
      else turn.outbox.ask({ type: 'emit', address: rootAddress, ...missing.by, event: missing.event });
    }
    if (!hears) return;
    const told = { type: migratedType, from: from.version, to: to.version };
    turn.deliver(rootAddress, 'host', told);
  });
}

interface Place {
  readonly stream: string;
  readonly seq: number;
  /** That took the group over. */
  readonly version: string;
}

/** The state in the entry, under this machine, whose version may have changed since. */
function systemOf(definition: Definition, written: JsonValue, place: Place) {
  const { id, version } = definition;
  try {
    return restore(definition, { ...(written as object), machine: { id, version } });
  } catch (error) {
    if (!isTroupeError(error, 'JOURNAL_CORRUPT')) throw error;
    throw untaken(place, version, error.message, error);
  }
}

function untaken(place: Place, found: string, why: string, cause?: unknown): TroupeError {
  return new TroupeError(
    'NONDETERMINISM',
    `${place.stream}, entry ${place.seq}: the group was taken over by version ${place.version}, and version ${found} cannot take up its state (${why}). Nothing is lost: pin version ${place.version} with \`previous\`, or add a migration from it.`,
    { ...place, found },
    cause,
  );
}
