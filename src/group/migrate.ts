/**
 * Taking a group over from an older version of its machine: works out the `group.migrated` entry, and performs nothing. What comes out
 * is the state itself, so that neither the old machine nor the migration is needed once the entry is durable.
 */
import { isTroupeError, TroupeError } from '../error.ts';
import { toJson, type JsonValue } from '../json.ts';
import type { Entry } from '../journal/port.ts';
import type { Definition } from './definition.ts';
import type { GroupEvents } from './entries.ts';
import type { GroupFold } from './fold.ts';
import type { Ledger } from './ledger.ts';
import { mailToJson } from './mail.ts';
import { migrateState } from './migrate-state.ts';
import type { Persisted } from './persisted.ts';
import { refold } from './refold.ts';
import { restore } from './restore.ts';
import type { Migration } from './upgrade.ts';
import { wants, type System } from './system.ts';

/** What the migration is made from. */
export interface Takeover {
  readonly definition: Definition;
  readonly rule: Migration;
  /** As of the last entry. Its system is the old one, or undefined where the inputs are folded again. */
  readonly fold: GroupFold;
  /** The group has been taken over before. */
  readonly isMigrated: boolean;
  /** The group's whole stream. */
  read(): AsyncIterable<readonly Entry[]>;
}

/** The rule by which `definition` takes over a group of `version`; undefined when it goes on as it is. */
export function migrationOf(definition: Definition, version: string | undefined): Migration | undefined {
  return version === undefined || version === definition.version ? undefined : definition.migrations.get(version);
}

/** The entry's data. Codes: MIGRATION_FAILED; nothing has been recorded then. */
export async function migrated(takeover: Takeover): Promise<GroupEvents['group.migrated']> {
  const { definition, rule, fold } = takeover;
  const { ledger } = fold;
  const to = { id: definition.id, version: definition.version };
  try {
    const input = toJson(rule.input === undefined ? ledger.input : rule.input(ledger.input), 'input');
    const { system, mail, asks } =
      rule.events === undefined ? fromState(takeover) : await fromEvents(takeover, rule.events, input);
    const withPlaces = keepIncarnations(system, ledger);
    refuseDoubles(definition, withPlaces as unknown as JsonValue, ledger);
    const how = rule.events === undefined ? 'state' : 'events';
    return { from: ledger.machine, to, how, input, system: withPlaces as unknown as JsonValue, mail, asks };
  } catch (error) {
    throw notTaken(definition, ledger, error);
  }
}

function notTaken({ id, version }: Definition, { name, seq, machine }: Ledger, error: unknown): TroupeError {
  const why = error instanceof Error ? error.message : String(error);
  return new TroupeError(
    'MIGRATION_FAILED',
    `group \`${name}\`, after entry ${seq}: cannot be taken over from version ${machine.version} by version ${version} of machine \`${id}\`: ${why}`,
    { group: name, seq, from: machine.version, to: version },
    isTroupeError(error) || error instanceof Error ? error : undefined,
  );
}

/**
 * What has ended is not taken over, and without the version that ended it nobody knows what its background members were asked for: they
 * would be stopped as wanted by nobody. Codes: MIGRATION_FAILED.
 */
export function refuseGoingOn(definition: Definition, { system, ledger }: GroupFold): void {
  if (system !== undefined || ledger.goingOn.size === 0) return;
  const why = `it has ended, and ${[...ledger.goingOn].map((id) => `\`${id}\``).join(', ')} goes on in the background; keep the old machine at hand (\`previous\`) until that has settled`;
  throw notTaken(definition, ledger, new Error(why));
}

type Made = { readonly system: Persisted } & Pick<GroupEvents['group.migrated'], 'asks' | 'mail'>;

function fromState({ definition, rule, fold }: Takeover): Made {
  const { system, mail } = fold;
  if (system === undefined) throw new Error('the old version has no state yet');
  return { system: migrateState(definition, system, rule.state), mail: mailToJson(mail), asks: [] };
}

async function fromEvents(
  { definition, fold, isMigrated, read }: Takeover,
  events: NonNullable<Migration['events']>,
  input: JsonValue,
): Promise<Made> {
  if (isMigrated)
    throw new Error('its inputs cannot be folded again, because it was taken over before; use `state` instead');
  const { system, mail, asks } = await refold({ definition, events, input, fold, read });
  return { system, mail: mailToJson(mail), asks };
}

/** An address never gets an incarnation again that the journal has seen: keys of attempts are made of them (G4). */
function keepIncarnations(system: Persisted, { members }: Ledger): Persisted {
  const actors = system.actors.map((actor) => {
    const seen = members.get(actor.address)?.incarnation ?? 0;
    return seen > (actor.last ?? actor.incarnation) ? { ...actor, last: seen } : actor;
  });
  const stopped = new Map(system.stopped.map(([address, last]) => [address, last]));
  const living = new Set(actors.map(({ address }) => address));
  for (const { id, incarnation } of members.values())
    if (!living.has(id)) stopped.set(id, Math.max(incarnation, stopped.get(id) ?? 0));
  return { ...system, actors, stopped: [...stopped].toSorted(([one], [other]) => (one < other ? -1 : 1)) };
}

/** What the new machine will go on from. */
function readBack(definition: Definition, written: JsonValue): System {
  try {
    return restore(definition, written);
  } catch (error) {
    if (!isTroupeError(error, 'JOURNAL_CORRUPT')) throw error;
    // Nothing is damaged: the new machine has not all that the old one's children need.
    const why = error.message.replace('JOURNAL_CORRUPT: snapshot: ', '');
    throw new Error(
      `${why}; children go on as they are, so keep the actors that they were spawned by, and their states, or take the group over with \`events\``,
      { cause: error },
    );
  }
}

/** Nobody is asked for again whose invocation has settled. */
function refuseDoubles(definition: Definition, written: JsonValue, { members }: Ledger): void {
  for (const { address, incarnation } of wants(readBack(definition, written))) {
    const record = members.get(address);
    if (record === undefined) continue;
    const isSettled =
      record.incarnation === incarnation && (record.status === 'completed' || record.status === 'failed');
    if (isSettled || record.incarnation > incarnation) {
      throw new Error(
        `it would want member \`${address}\` again, which has ${isSettled ? record.status : 'been asked for under that name since'}; keep its settlement, or give the member another id`,
      );
    }
  }
}
