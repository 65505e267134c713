/** Symmetry of members: the least of all renamed vectors, in which what is told of members stands in no order. */
import { TroupeError } from '../../error.ts';
import { canonical, type JsonValue } from '../../json.ts';
import { textsOf } from '../kernel/texts.ts';
import { imagesOf, listRenamer, Renamer, renamed, renameText, type Images, type Renaming } from '../actors/symmetry.ts';
import type { Behaviour } from './behaviours.ts';
import type { GroupTables } from './look.ts';
import type { ProtocolMessage } from './options.ts';
import type { GroupSpace } from './space.ts';

/**
 * All renamed vectors of a state. Codes: BAD_INPUT for a message that one of them may say, and the other not,
 * and for members that are to change places and do not do the same.
 */
export function groupForm(tables: GroupTables, space: GroupSpace, renamings: readonly Renaming[]): Images {
  const { turns, slots, behaviours, world } = tables;
  const names = textsOf();
  const { locals } = turns.steps;
  const local = new Renamer(renamings.length, (id, which) => {
    const parts = locals
      .partsOf(id)
      .map((part) => unordered(renamed(JSON.parse(part) as JsonValue, renamings[which] as Renaming)));
    return names.idOf(canonical(parts.map((part) => canonical(part)).sort()));
  });
  /** Records by slot and number: what is known of a member's machine depends on whose it is. */
  const records: (Renamer | undefined)[] = [];
  const recordAt = (slot: number): Renamer =>
    (records[slot] ??= new Renamer(renamings.length, (id, which) => {
      if (id === 0) return 0;
      const { mind, mail, outbox, invocation, ...rest } = slots.recordOf(id);
      const steps = behaviours.of(space.addressOf(slot)).steps;
      const told: JsonValue = [
        rest as unknown as JsonValue,
        mind < 0 || steps === undefined
          ? null
          : steps.locals.partsOf(mind).map((part) => JSON.parse(part) as JsonValue),
        mail.map((letter) => world.letterOf(letter)),
        outbox.map((message) => behaviours.messageOf(message) as unknown as JsonValue),
        world.invocationOf(invocation) as unknown as JsonValue,
      ];
      return 1 + names.idOf(canonical(renamed(told, renamings[which] as Renaming)));
    }));
  const gates = listRenamer(
    space.gateSets,
    (gate, which) =>
      names.idOf(
        canonical(renamed(JSON.parse(turns.gateTexts.textOf(gate)) as JsonValue, renamings[which] as Renaming)),
      ),
    (items) => items.sort((a, b) => a - b),
    renamings.length,
  );
  const messages = renamings.map((renaming) => placesOf(space.messages, renaming));
  /** By renaming and slot: where its record goes. */
  const places = renamings.map((): number[] => []);
  const placeOf = (slot: number, which: number): number => {
    const row = places[which] as number[];
    const known = row[slot];
    if (known !== undefined) return known;
    const address = space.addressOf(slot);
    // Members of a nested group go with it.
    const other = renameText(address, renamings[which] as Renaming);
    if (!isAlike(behaviours.of(address), behaviours.of(other)))
      throw new TroupeError(
        'BAD_INPUT',
        `symmetry: expected \`members\` to have \`${address}\` and \`${other}\` do the same, for they change places`,
      );
    return (row[slot] = space.placeOf(other));
  };
  return imagesOf(renamings.length, (vector, which, into) => {
    const { slotsAt, messageAt } = space;
    into[0] = local.of(vector[0] as number, which);
    into[1] = gates.of(vector[1] as number, which);
    for (let at = 2; at < slotsAt; at += 1) into[at] = vector[at] as number;
    for (const [index, to] of (messages[which] as readonly number[]).entries())
      if ((messageAt[index] as number) >= 0)
        into[messageAt[to] as number] = vector[messageAt[index] as number] as number;
    into.fill(0, slotsAt);
    for (let at = slotsAt; at < vector.length; at += 1) {
      if (vector[at] === 0) continue;
      const slot = at - slotsAt;
      into[placeOf(slot, which)] = recordAt(slot).of(vector[at] as number, which);
    }
  });
}

function isAlike(one: Behaviour, other: Behaviour): boolean {
  const told = ({ outcomes, moves }: Behaviour) =>
    canonical([outcomes.toSorted((a, b) => a - b), [...moves]] as unknown as JsonValue);
  return one === other || (one.steps === other.steps && told(one) === told(other));
}

/** Where each message stands under the renaming: what is left of it is left of another's then. Equal ones keep their order. */
function placesOf(messages: readonly ProtocolMessage[], renaming: Renaming): readonly number[] {
  const given = messages.map((one) => JSON.parse(JSON.stringify(one)) as JsonValue);
  const texts = given.map((one) => canonical(one));
  const taken = new Set<number>();
  return given.map((one) => {
    const text = canonical(renamed(one, renaming));
    const to = texts.findIndex((other, index) => other === text && !taken.has(index));
    if (to < 0)
      throw new TroupeError(
        'BAD_INPUT',
        `symmetry: expected \`messages\` to have ${text} too, for its members change places`,
      );
    taken.add(to);
    return to;
  });
}

/** Children of a machine in the order of their ids, not of their spawning. */
function unordered(part: JsonValue): JsonValue {
  if (part === null || typeof part !== 'object' || !('snapshot' in part)) return part;
  const { snapshot } = part as { readonly snapshot: JsonValue };
  if (snapshot === null || typeof snapshot !== 'object' || !('children' in snapshot)) return part;
  const { children } = snapshot as { readonly children: readonly JsonValue[] };
  const sorted = children.map((child) => canonical(child)).sort();
  return { ...(part as object), snapshot: { ...snapshot, children: sorted } } as JsonValue;
}
