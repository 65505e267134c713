/** The inputs of an older version folded by a newer one: each as the migration says, in their order and at their time. */
import { canonical, toJson, type JsonValue } from '../json.ts';
import type { Entry } from '../journal/port.ts';
import { rootAddress } from './address.ts';
import { gateName } from './askers.ts';
import type { Definition } from './definition.ts';
import type { Effect } from './effect.ts';
import type { GroupEvents, Missing } from './entries.ts';
import type { GroupFold } from './fold.ts';
import { foldMail, type Mailboxes } from './mail.ts';
import { persist } from './persist.ts';
import type { Persisted } from './persisted.ts';
import type { Step } from './run-turn.ts';
import { start, step } from './step.ts';
import { isLiving, type System } from './system.ts';
import type { OldInput } from './upgrade.ts';

/** What {@link refold} comes to. */
export interface Refolded {
  readonly system: Persisted;
  readonly mail: Mailboxes;
  /** Gates, checkpoints and dead letters that the newer version asked for and that are not recorded. */
  readonly asks: readonly Missing[];
}

const inputTypes: readonly string[] = [
  'member.progress',
  'member.settled',
  'message',
  'signal',
  'timer.fired',
] satisfies readonly OldInput['type'][];

/** Folds the whole stream again. Throws what the migration throws; NOT_JSON. */
export async function refold(options: {
  readonly definition: Definition;
  readonly events: (old: OldInput) => JsonValue | undefined;
  readonly input: JsonValue;
  readonly fold: GroupFold;
  read(): AsyncIterable<readonly Entry[]>;
}): Promise<Refolded> {
  const { definition, events, input, fold, read } = options;
  const mail: Mailboxes = new Map();
  const asked: Missing[] = [];
  const recorded = new Map<string, number>();
  let now: Step | undefined;
  for await (const entries of read()) {
    for (const { v, stream, seq, epoch, at, type, data } of entries) {
      let heard: JsonValue | undefined = data;
      if ('effect' in (data as object)) count(recorded, nameOf(type, data), 1);
      // Who asks in that life again has to open its gate again.
      if (type === 'gate.withdrawn') count(recorded, nameOf('gate.opened', data), -1);
      if (now === undefined) {
        const { bounds } = data as unknown as GroupEvents['group.created'];
        now = start(definition, { seq, at, input: toJson(input, 'input'), bounds });
      } else {
        if (inputTypes.includes(type)) heard = changed(events, { seq, at, type: type as OldInput['type'], data });
        if (heard === undefined) continue;
        now = step(now.system, { seq, at, type, data: heard });
      }
      foldMail(mail, { v, stream, seq, epoch, at, type, data: heard }, now.effects);
      asked.push(...now.effects.flatMap(asks));
    }
  }
  if (now === undefined || fold.ledger.seq === 0) throw new Error('nothing is recorded of it');
  const { system } = now;
  const missing = asked.filter(isMissing(recorded)).filter((one) => isWaitedFor(one, system));
  return { system: persist(system) as unknown as Persisted, mail, asks: missing };
}

function changed(events: (old: OldInput) => JsonValue | undefined, old: OldInput): JsonValue | undefined {
  const data = events(old);
  return data === undefined ? undefined : toJson(data, `what \`events\` made of entry ${old.seq} (${old.type})`);
}

function asks(effect: Effect): readonly Missing[] {
  if (effect.type === 'deadLetter') {
    const { from, to, event, reason } = effect;
    return [{ type: 'deadLetter', from, to, event, reason }];
  }
  if (effect.type !== 'emit') return [];
  const { event, address, incarnation } = effect;
  if (event.type === 'troupe.checkpoint') return [{ type: 'emit', event }];
  if (event.type !== 'troupe.gate') return [];
  return [{ type: 'emit', event, ...(incarnation === undefined ? {} : { by: { address, incarnation } }) }];
}

/** Those that look the same are taken in order: as many as are recorded are none that is missing. */
function isMissing(recorded: Map<string, number>): (missing: Missing) => boolean {
  return (missing) => {
    const name = nameOfMissing(missing);
    const left = recorded.get(name) ?? 0;
    recorded.set(name, left - 1);
    return left <= 0;
  };
}

function nameOfMissing(missing: Missing): string {
  const { event } = missing;
  if (missing.type === 'deadLetter') return nameOf('letter.dead', { to: missing.to, letter: event });
  if (event.type === 'troupe.checkpoint') return nameOf('checkpoint', event);
  const { address, incarnation } = missing.by ?? { address: rootAddress, incarnation: null };
  return nameOf('gate.opened', { name: gateName(address, event['name'] as string), incarnation });
}

/** False for the gate of a machine below the coordinator that is gone in the end. */
function isWaitedFor(missing: Missing, system: System): boolean {
  return missing.type !== 'emit' || missing.by === undefined || isLiving(system, missing.by);
}

/** What two versions would record alike: by its name (a gate by whose it is, too), a dead letter by whom it was for and what it said. */
function nameOf(type: string, data: JsonValue): string {
  const { name, incarnation, to, letter } = data as { readonly [field: string]: JsonValue | undefined };
  if (type === 'letter.dead') return canonical([type, to ?? '', letter ?? null]);
  return canonical(type === 'gate.opened' ? [type, name ?? '', incarnation ?? null] : [type, name ?? '']);
}

function count(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
