/** The inputs of an older version folded by a newer one: each as the migration says, in their order and at their time. */
import { canonical, toJson, type JsonValue } from '../json.ts';
import type { Entry } from '../journal/port.ts';
import type { Definition } from './definition.ts';
import type { Effect } from './effect.ts';
import type { GroupEvents, Missing } from './entries.ts';
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
      if ('effect' in (data as object)) count(recorded, nameOf(type, data));
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
  return { system: persist(now.system) as unknown as Persisted, mail, asks: asked.filter(isMissing(recorded)) };
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
  const { event } = effect;
  return event.type === 'troupe.checkpoint' || event.type === 'troupe.gate' ? [{ type: 'emit', event }] : [];
}

/** Those that look the same are taken in order: as many as are recorded are none that is missing. */
function isMissing(recorded: Map<string, number>): (missing: Missing) => boolean {
  return (missing) => {
    const { event } = missing;
    const name =
      missing.type === 'deadLetter'
        ? nameOf('letter.dead', { to: missing.to, letter: event })
        : nameOf(event.type === 'troupe.gate' ? 'gate.opened' : 'checkpoint', event);
    const left = recorded.get(name) ?? 0;
    recorded.set(name, left - 1);
    return left <= 0;
  };
}

/** What two versions would record alike: by its name, a dead letter by whom it was for and what it said. */
function nameOf(type: string, data: JsonValue): string {
  const { name, to, letter } = data as { readonly name?: string; readonly to?: string; readonly letter?: JsonValue };
  return canonical(type === 'letter.dead' ? [type, to ?? '', letter ?? null] : [type, name ?? '']);
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
