import { canonical, type JsonValue } from '../../json.ts';
import { textsOf, type Texts } from '../kernel/texts.ts';
import type { Tables } from './look.ts';
import type { ActorSpace } from './space.ts';
import { imagesOf, listRenamer, Renamer, renamed, textRenamer, type Images, type Renaming } from './symmetry.ts';

/** What a canonical form is worked out from. */
export interface FormOptions extends Tables {
  readonly space: ActorSpace;
  readonly renamings: readonly Renaming[];
  readonly envelopeTexts: Texts;
  readonly records: { textOf(id: number): string } | undefined;
}

/** All renamed vectors of a state. */
export function canonicalForm(options: FormOptions): Images {
  const { space, renamings, actors, ids, network, envelopeTexts, records } = options;
  const names = textsOf();
  const count = renamings.length;
  /** Where the actor at each place goes. */
  const places = renamings.map((renaming) => ids.map((id) => ids.indexOf(renaming.get(id) ?? id)));
  const locals = new Map(
    actors.map(({ steps }) => [
      steps,
      new Renamer(count, (id, which) => {
        const parts = steps.locals.partsOf(id).map((part) => JSON.parse(part) as JsonValue);
        return names.idOf(canonical(renamed(parts, renamings[which] as Renaming)));
      }),
    ]),
  );
  const envelopeNames = textsOf();
  const envelope = textRenamer(envelopeTexts, envelopeNames, renamings);
  const channelOf = (name: number) => {
    const [from, to] = JSON.parse(envelopeNames.textOf(name)) as [string, string];
    return ids.indexOf(from) * ids.length + ids.indexOf(to);
  };
  const contents = listRenamer(
    network.contents,
    (item, which) => envelope.of(item, which),
    (items) => items.sort((a, b) => (network.kind === 'ordered' ? channelOf(a) - channelOf(b) : a - b)),
    count,
  );
  const history = new Renamer(count, (id, which) =>
    names.idOf(
      canonical(renamed(JSON.parse(records?.textOf(id) ?? 'null') as JsonValue, renamings[which] as Renaming)),
    ),
  );
  return imagesOf(count, (vector, which, into) => {
    const to = places[which] as readonly number[];
    for (let index = 0; index < vector.length; index += 1) {
      const value = vector[index] as number;
      const actor = actors[index];
      if (actor !== undefined) into[to[index] as number] = (locals.get(actor.steps) as Renamer).of(value, which);
      else if (index === space.networkAt) into[index] = contents.of(value, which);
      else if (index === space.recordAt) into[index] = history.of(value, which);
      else into[index] = value;
    }
  });
}
