/** The inputs of an older version folded by a newer one: each as the migration says, in their order and at their time. */
import { toJson, type JsonValue } from '../json.ts';
import type { Entry } from '../journal/port.ts';
import type { Definition } from './definition.ts';
import type { Effect, EventObject } from './effect.ts';
import type { GroupEvents } from './entries.ts';
import type { GroupFold } from './fold.ts';
import { foldMail, type Mailboxes } from './mail.ts';
import { persist } from './persist.ts';
import type { Persisted } from './persisted.ts';
import type { Step } from './run-turn.ts';
import { start, step } from './step.ts';
import type { OldInput } from './upgrade.ts';

/** What {@link refold} comes to. */
export interface Refolded {
  readonly system: Persisted;
  readonly mail: Mailboxes;
  /** Gates and checkpoints that the newer version asked for and that are not recorded. */
  readonly asks: readonly EventObject[];
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
  const asked: EventObject[] = [];
  const recorded = new Map<string, number>();
  let now: Step | undefined;
  for await (const entries of read()) {
    for (const { v, stream, seq, epoch, at, type, data } of entries) {
      let heard: JsonValue | undefined = data;
      if ((type === 'checkpoint' || type === 'gate.opened') && 'effect' in (data as object))
        count(recorded, nameOf(type, data));
      if (now === undefined) {
        const { bounds } = data as unknown as GroupEvents['group.created'];
        now = start(definition, { seq, at, input, bounds });
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
  return { system: persist(now.system) as unknown as Persisted, mail, asks: asked.filter(isMissing(recorded)) };
}

function changed(events: (old: OldInput) => JsonValue | undefined, old: OldInput): JsonValue | undefined {
  const data = events(old);
  return data === undefined ? undefined : toJson(data, `what \`events\` made of entry ${old.seq} (${old.type})`);
}

function asks(effect: Effect): readonly EventObject[] {
  if (effect.type !== 'emit') return [];
  return effect.event.type === 'troupe.checkpoint' || effect.event.type === 'troupe.gate' ? [effect.event] : [];
}

/** Those of one kind and name are taken in order: as many as are recorded are none that is missing. */
function isMissing(recorded: Map<string, number>): (event: EventObject) => boolean {
  return (event) => {
    const name = nameOf(event.type === 'troupe.gate' ? 'gate.opened' : 'checkpoint', event);
    const left = recorded.get(name) ?? 0;
    recorded.set(name, left - 1);
    return left <= 0;
  };
}

function nameOf(type: string, data: JsonValue): string {
  // Both kinds have a name that is a text.
  return `${type} ${(data as { readonly name: string }).name}`;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
