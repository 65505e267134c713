/** Models of protocols between actors: ordinary XState machines that send to each other over a network that is explored too. */
import { TroupeError } from '../error.ts';
import { canonical, toJson, type JsonValue } from '../json.ts';
import { define } from '../group/definition.ts';
import { Actor, type EventTable } from './actors/actor.ts';
import { actorState, describeAction } from './actors/look.ts';
import { Network } from './actors/network.ts';
import type { History } from './actors/history.ts';
import type { ModelActor, ModelOptions, ModelState } from './actors/options.ts';
import { recordsOf } from './actors/records.ts';
import { canonicalForm } from './actors/canonical-form.ts';
import { ActorSpace } from './actors/space.ts';
import { renamedModelState, rewriterOf } from './actors/renamed-state.ts';
import { renamingsOf } from './actors/symmetry.ts';
import { asked, type Model, type Opened, type Properties } from './checkable.ts';
import { coverageOf } from './coverage.ts';
import { Sequences } from './engine/sequences.ts';
import { localsOf } from './kernel/locals.ts';
import { stepsOf, type Steps } from './kernel/steps.ts';
import { textsOf } from './kernel/texts.ts';
import { refuseCount, refuseNames, refuseOthers, refusePredicates, refuseProperties } from './refuse.ts';

const optionNames: readonly string[] = [
  'name',
  'actors',
  'beginnings',
  'network',
  'lossy',
  'drops',
  'duplicates',
  'pruneNoOps',
  'boundary',
  'countsOutside',
  'history',
  'symmetry',
  'view',
  'properties',
  'ends',
  'replayDeterminism',
] satisfies readonly (keyof ModelOptions)[];

const actorNames: readonly string[] = ['machine', 'input', 'moves', 'isFair'] satisfies readonly (keyof ModelActor)[];
const historyNames: readonly string[] = ['initial', 'sent', 'delivered', 'always'] satisfies readonly (keyof History)[];

/**
 * A model of ordinary machines over a network, to be given to `check`. Its machines keep to what any coordinator keeps to (no
 * side effects, string sources …) and send with the action `tell`. Codes: MACHINE_UNSUPPORTED, BAD_INPUT.
 */
export function model<Record extends JsonValue = JsonValue>(options: ModelOptions<Record>): Model<ModelState<Record>> {
  const ids = Object.keys(options.actors);
  if (ids.length === 0) throw new TroupeError('BAD_INPUT', 'model: expected `actors` to have at least one actor');
  for (const beginning of options.beginnings ?? [])
    for (const id of Object.keys(beginning))
      if (!ids.includes(id))
        throw new TroupeError('BAD_INPUT', `model: \`beginnings\` names \`${id}\`; the actors are ${ids.join(', ')}`);
  for (const id of ids) define(actorOf(options.actors[id] as ModelActor).machine);
  refuse(options, ids);
  const hasEnds = options.ends !== undefined;
  return {
    name: options.name ?? 'model',
    bounds: boundsOf(options),
    isViewUsed: options.view !== undefined,
    isSymmetryUsed: options.symmetry !== undefined,
    properties: options.properties ?? {},
    checks: { noDeadlock: hasEnds, canAlwaysEnd: hasEnds, canAlwaysEndWithoutTimers: false },
    lanes: ids,
    open: () => open(options, ids),
  };
}

function refuse<Record extends JsonValue>(options: ModelOptions<Record>, ids: readonly string[]): void {
  const { beginnings, drops, duplicates, history, lossy, network, properties, symmetry } = options;
  refuseNames('model', options, optionNames);
  for (const id of ids) refuseNames(`model: actor \`${id}\``, actorOf(options.actors[id] as ModelActor), actorNames);
  if (beginnings?.length === 0)
    throw new TroupeError(
      'BAD_INPUT',
      'model: expected `beginnings` to have at least one; leave it out for the usual one',
    );
  refuseNames('model: history', history, historyNames);
  refusePredicates('model: history.always', history?.always);
  refuseOthers('model: network', network, ['bag', 'ordered', 'set']);
  refuseOthers('model: lossy', lossy, [true, false, 'anywhere']);
  refuseCount('model: drops', drops, 0);
  refuseCount('model: duplicates', duplicates, 0);
  if ((drops ?? 0) > 0 && (lossy ?? false) === false)
    throw new TroupeError(
      'BAD_INPUT',
      'model: `drops` bounds what `lossy` loses, and `lossy` is not set; nothing would be lost',
    );
  refuseProperties('model', properties as Properties<never> | undefined);
  if (symmetry === undefined) return;
  renamingsOf(symmetry, ids);
  const kindOf = (id: string) => {
    const { machine, moves = [], isFair = false } = actorOf(options.actors[id] as ModelActor);
    return canonical([define(machine).version, [...moves], isFair]);
  };
  for (const [first = '', ...others] of symmetry)
    for (const other of others)
      if (kindOf(first) !== kindOf(other))
        throw new TroupeError(
          'BAD_INPUT',
          `symmetry: expected actors \`${first}\` and \`${other}\` to have the same machine, moves and fairness, for they change places`,
        );
}

function actorOf(given: ModelOptions['actors'][string]): ModelActor {
  return 'machine' in given && typeof given.machine === 'object'
    ? (given as ModelActor)
    : { machine: given as ModelActor['machine'] };
}

function boundsOf<Record extends JsonValue>({
  actors,
  network = 'bag',
  lossy,
  drops,
  duplicates,
  boundary,
}: ModelOptions<Record>): string {
  return [
    `${Object.keys(actors).length} actors`,
    `network ${network}`,
    ...(lossy === undefined || lossy === false ? [] : [drops === undefined ? 'lossy' : `drop ${drops}`]),
    ...(duplicates === undefined ? [] : [`dup ${duplicates}`]),
    ...(boundary === undefined ? [] : ['within a boundary']),
  ].join(', ');
}

function open<Record extends JsonValue>(
  options: ModelOptions<Record>,
  ids: readonly string[],
): Opened<ModelState<Record>> {
  const events = eventTable();
  const lists = new Sequences();
  lists.idOf([]);
  const envelopes = { from: [] as number[], to: [] as number[], event: [] as number[] };
  const envelopeTexts = textsOf();
  const indexOf = new Map(ids.map((id, index) => [id, index]));
  const envelopeOf = (from: number, to: string, event: JsonValue, sender: string): number => {
    const index = indexOf.get(to);
    if (index === undefined)
      throw new TroupeError(
        'UNKNOWN_MEMBER',
        `actor \`${sender}\` tells \`${to}\`, which is not in the model. Actors: ${ids.join(', ')}.`,
      );
    const id = envelopeTexts.idOf(canonical([sender, to, event]));
    if (id === envelopes.to.length) {
      envelopes.from.push(from);
      envelopes.to.push(index);
      envelopes.event.push(events.idOf('event', event));
    }
    return id;
  };
  const stepsBy = new Map<unknown, Steps>();
  const specs = ids.map((id) => actorOf(options.actors[id] as ModelActor));
  const actors = ids.map((id, index) => {
    const definition = define((specs[index] as ModelActor).machine);
    const steps =
      stepsBy.get(definition) ?? stepsOf(definition, localsOf(options.view), options.replayDeterminism ?? true);
    stepsBy.set(definition, steps);
    const moves = ((specs[index] as ModelActor).moves ?? []).map((move) => events.idOf('event', move));
    return new Actor({ id, index, steps, moves }, events, lists, envelopeOf);
  });
  const channelOf = (envelope: number) =>
    (envelopes.from[envelope] as number) * ids.length + (envelopes.to[envelope] as number);
  const network = new Network(options.network ?? 'bag', lists, channelOf);
  const tables = { ids, actors, events, envelopes, network };
  const records = options.history === undefined ? undefined : recordsOf(options.history, tables);
  const inputOf = (id: string, index: number, other: { readonly [id: string]: JsonValue }) =>
    toJson(
      (Object.hasOwn(other, id) ? other[id] : undefined) ?? (specs[index] as ModelActor).input ?? null,
      `input of \`${id}\``,
    );

  const { boundary, ends } = options;
  const parts = {
    options: options as unknown as ModelOptions,
    actors,
    beginnings: (options.beginnings ?? [{}]).map((other) => ids.map((id, index) => inputOf(id, index, other))),
    events,
    envelopes,
    lists,
    network,
    records,
    isInside: boundary === undefined ? undefined : () => asked('boundary', boundary, emitted.state, emittedVariants),
    isEnd: () => ends !== undefined && asked('ends', ends, seen.state, variants),
  };
  const space = new ActorSpace(parts);
  const seen = actorState<Record>(tables, space, () => space.current, records);
  const emitted = actorState<Record>(tables, space, () => space.next, records);
  const renamings = options.symmetry === undefined ? [] : renamingsOf(options.symmetry, ids);
  const rewriters = renamings.slice(1).map(rewriterOf);
  const images =
    renamings.length === 0 ? undefined : canonicalForm({ ...tables, space, renamings, envelopeTexts, records });
  if (images !== undefined) space.canonical = (key) => images.least(space.next, key);
  const variantsOf = (state: ModelState<Record>, vector: () => Int32Array) => {
    const all = rewriters.map((rewriter) => renamedModelState(state, rewriter));
    return () => (images?.others(vector()) ?? []).map((which) => all[which - 1] as ModelState<Record>);
  };
  const variants = variantsOf(seen.state, () => space.current);
  const emittedVariants = variantsOf(emitted.state, () => space.next);
  const always = Object.entries(options.history?.always ?? {}).map(([name, holds]) => ({
    name,
    holds: records?.memoised(name, holds, rewriters) ?? (() => true),
  }));
  return {
    space,
    state: seen.state,
    variants,
    describe: (action) => describeAction(tables, space, action),
    invariants: always.map(({ name, holds }) => ({
      name,
      holds: () => holds(space.current[space.recordAt] as number),
    })),
    bytes: () => actors.reduce((sum, actor) => sum + actor.bytes(), network.contents.bytes() + lists.bytes()),
    coverage: () => coverageOf([...stepsBy.values()]),
    figures: () => ({
      locals: [...stepsBy.values()].reduce((sum, { locals }) => sum + locals.size, 0),
      kernelSteps: [...stepsBy.values()].reduce((sum, { taken }) => sum + taken, 0),
      networks: network.contents.size,
      ...(records === undefined ? {} : { histories: records.count() }),
    }),
  };
}

function eventTable(): EventTable {
  const texts = textsOf();
  const kinds: ('event' | 'timer')[] = [];
  const data: JsonValue[] = [];
  return {
    idOf(kind, event) {
      const id = texts.idOf(`${kind} ${canonical(event)}`);
      if (id === kinds.length) {
        kinds.push(kind);
        data.push(event);
      }
      return id;
    },
    kindOf: (id) => kinds[id] as 'event' | 'timer',
    dataOf: (id) => data[id] as never,
  };
}
