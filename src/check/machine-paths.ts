/**
 * Ways through one machine, for tests that go through each: `@xstate/graph`'s searches, over the kernel that ships and with the check
 * kit's own key. The library's key (value and context) merges snapshots that differ in what a history state would return to, in
 * children and in timers, and so misses what only one of them does; ours is exact (`kernel/locals.ts`).
 */
import type { AnyStateMachine, EventObject } from 'xstate';
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import { TroupeError } from '../error.ts';
import { canonical, toJson, type JsonValue } from '../json.ts';
import { define } from '../group/definition.ts';
import { timers, wants } from '../group/step.ts';
import type { Coordinator } from '../group/coordinator.ts';
import { fail, ok } from '../harness/outcome.ts';
import type { Outcome } from '../harness/port.ts';
import { localsOf, rootOf, type Facade } from './kernel/locals.ts';
import { stepsOf, type Steps } from './kernel/steps.ts';

/** Which ways, and how many. */
export interface MachinePathsOptions<Input = unknown> {
  readonly input?: Input;
  /** `shortest` (default): one to each state. `simple`: every one that comes to no state twice. */
  readonly paths?: 'shortest' | 'simple';
  /** What somebody outside may say, in each state. Default nothing. */
  readonly events?: readonly EventObject[] | ((state: PathState) => readonly EventObject[]);
  /** How members may come out. Default `ok()` and `fail()`. */
  readonly outcomes?: readonly Outcome[];
  /** Ways end where this holds. */
  readonly stopWhen?: (state: PathState) => boolean;
  /** Only ways to states for which this holds. */
  readonly to?: (state: PathState) => boolean;
  /** More states than this are refused. Default 2,000. */
  readonly statesMax?: number;
  /** More ways than this are refused. Default 10,000. */
  readonly pathsMax?: number;
}

/** A state of the machine, with all that lives in it. */
export interface PathState extends Facade {
  /** The same for equal states only. */
  readonly key: number;
  /** Members that are asked for, by address. */
  readonly wanted: readonly string[];
  /** Names of the timers that are set. */
  readonly timers: readonly string[];
}

/** One step: the entry that is folded, under the name by which the machine hears it. */
export interface PathEvent extends EventObject {
  /** `signal`, `member.settled`, `timer.fired`. */
  readonly entry: string;
  readonly data: JsonValue;
}

/** One way. */
export interface MachinePath {
  /** The names of its events, in order: `begin → xstate.done.actor.a → after 10`. */
  readonly description: string;
  readonly events: readonly PathEvent[];
  /** The states after each event; the first is the beginning. */
  readonly states: readonly PathState[];
  /** Where it ends. */
  readonly state: PathState;
}

/**
 * Ways through a machine, shortest first. Codes: MACHINE_UNSUPPORTED; BAD_INPUT for more than `statesMax` states or `pathsMax` ways; and
 * a Finding of the check kit where a step is not the same each time.
 */
export function machinePaths<Input, Output>(
  machine: Coordinator<Input, Output>,
  options: MachinePathsOptions<Input> = {},
): readonly MachinePath[] {
  const { paths = 'shortest', statesMax = 2_000, pathsMax = 10_000, to, stopWhen } = options;
  const steps = stepsOf(define(machine as AnyStateMachine), localsOf(undefined), true);
  const states: PathState[] = [];
  const stateOf = (local: number) => (states[local] ??= look(steps, local));
  const first = stateOf(steps.begin(toJson(options.input ?? null, 'input')).local);
  const keys = new Set<number>();
  const traversal = {
    events: (state: PathState) =>
      state.status !== 'active' || stopWhen?.(state) === true ? [] : eventsOf(steps, state, options),
    serializeState: ({ key }: PathState) => {
      keys.add(key);
      if (keys.size > statesMax)
        throw new TroupeError(
          'BAD_INPUT',
          `machinePaths: machine \`${machine.id}\` has more than ${statesMax} states (\`statesMax\`). Give fewer events or outcomes, stop earlier (\`stopWhen\`), or use \`check\`.`,
        );
      return String(key);
    },
    serializeEvent: ({ entry, data }: PathEvent) => canonical([entry, data]),
  };
  const logic = {
    transition: ({ key }: PathState, { entry, data }: PathEvent) =>
      stateOf(steps.step(key, entry, data, steps.locals.nowOf(key)).local),
    getInitialSnapshot: () => first,
    getPersistedSnapshot: (state: PathState) => state,
  };
  // The library's types ask for XState's own snapshots; its searches only hand states on.
  const given = [logic as never, traversal as never] as const;
  const all =
    paths === 'shortest'
      ? (getShortestPaths(...given) as unknown as readonly LibraryPath[]).map((path) =>
          pathOf(first, path.steps.slice(1)),
        )
      : simplePaths(getAdjacencyMap(...given) as unknown as Adjacency, first, pathsMax, machine.id);
  const wanted = to === undefined ? all : all.filter(({ state }) => to(state));
  if (wanted.length > pathsMax) throw tooMany(machine.id, pathsMax);
  return [...wanted].sort((a, b) => a.events.length - b.events.length);
}

/** As the library tells it: its first step is the beginning. */
interface LibraryPath {
  readonly steps: readonly LibraryStep[];
}
interface LibraryStep {
  readonly event: PathEvent;
  readonly state: PathState;
}
type Adjacency = Readonly<Record<string, { readonly transitions: Readonly<Record<string, LibraryStep>> }>>;

function pathOf(first: PathState, steps: readonly LibraryStep[]): MachinePath {
  const events = steps.map(({ event }) => event);
  const states = [first, ...steps.map(({ state }) => state)];
  return {
    description: ['begin', ...events.map(({ type }) => type)].join(' → '),
    events,
    states,
    state: states.at(-1) as PathState,
  };
}

/** The library's own search for simple paths has no bound. */
function simplePaths(adjacency: Adjacency, first: PathState, pathsMax: number, machine: string): MachinePath[] {
  const found: MachinePath[] = [];
  const trail: LibraryStep[] = [];
  const on = new Set<number>();
  const visit = (state: PathState) => {
    if (found.length === pathsMax) throw tooMany(machine, pathsMax);
    found.push(pathOf(first, trail));
    on.add(state.key);
    for (const step of Object.values(adjacency[String(state.key)]?.transitions ?? {})) {
      if (on.has(step.state.key)) continue;
      trail.push(step);
      visit(step.state);
      trail.pop();
    }
    on.delete(state.key);
  };
  visit(first);
  return found;
}

function tooMany(machine: string, pathsMax: number): TroupeError {
  return new TroupeError(
    'BAD_INPUT',
    `machinePaths: machine \`${machine}\` has more than ${pathsMax} such ways (\`pathsMax\`). Take the shortest, give fewer events, or stop earlier (\`stopWhen\`).`,
  );
}

function look({ locals }: Steps, local: number): PathState {
  const system = locals.systemOf(local);
  const root = rootOf(system);
  return {
    key: local,
    status: system.end === undefined ? 'active' : root.status,
    value: root.value,
    context: root.context,
    output: root.output,
    error: root.error,
    matches: (state) => root.matches(state),
    wanted: wants(system).map(({ address }) => address),
    timers: timers(system).map(({ timer }) => timer),
  };
}

function eventsOf<Input>(
  { locals }: Steps,
  state: PathState,
  { events = [], outcomes = [ok(), fail()] }: MachinePathsOptions<Input>,
): readonly PathEvent[] {
  const system = locals.systemOf(state.key);
  const said = typeof events === 'function' ? events(state) : events;
  return [
    ...wants(system).flatMap(({ address, incarnation }) =>
      outcomes.map((outcome): PathEvent => {
        const type = `xstate.${outcome.status === 'ok' ? 'done' : 'error'}.actor.${address}`;
        const plain = JSON.parse(
          JSON.stringify(outcome, (key, value: unknown) => (key === 'stack' ? undefined : value)),
        ) as JsonValue;
        return { type, entry: 'member.settled', data: { member: address, incarnation, attempt: 1, outcome: plain } };
      }),
    ),
    ...timers(system).map((timer): PathEvent => {
      const data = timer as unknown as JsonValue;
      return { type: timer.timer, entry: 'timer.fired', data };
    }),
    ...said.map((event): PathEvent => {
      const data = { id: 'signal', from: 'outside', event: toJson(event, 'event') };
      return { type: event.type, entry: 'signal', data };
    }),
  ];
}
