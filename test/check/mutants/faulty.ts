/** Puts a fault into a machine that ships, and keeps all else of it. */
import { createMachine, type AnyStateMachine } from 'xstate';
import { coordinator, type Coordinator, type JsonValue } from 'troupe';
import type { GroupState, Protocol } from 'troupe/check';

/** A state of a machine's configuration, open to be changed. */
export interface OpenState {
  entry?: unknown;
  always?: unknown;
  on?: Record<string, unknown>;
  after?: Record<string, unknown>;
  type?: string;
}

/** What is wrong with it. */
export interface Fault {
  /** In the place of the named actions, guards, delays. */
  readonly actions?: object;
  readonly guards?: object;
  /** Actions that the machine does not have yet. */
  readonly more?: object;
  /** Changes the states, which are a copy. */
  readonly states?: (states: Record<string, OpenState>) => void;
}

/** The machine with the fault; the one that was given stays as it is. */
export function faulty<Input, Output>(
  machine: Coordinator<Input, Output>,
  { actions = {}, guards = {}, more = {}, states }: Fault,
): Coordinator<Input, Output> {
  const config = copy(machine.config as unknown) as { readonly states: Record<string, OpenState> };
  const known = Object.keys({ ...machine.implementations.actions, ...machine.implementations.guards });
  for (const name of Object.keys({ ...actions, ...guards }))
    if (!known.includes(name)) throw new Error(`machine \`${machine.id}\` has no action or guard \`${name}\``);
  const before = JSON.stringify(config);
  states?.(config.states);
  if (states !== undefined && JSON.stringify(config) === before) throw new Error('the fault changes nothing');
  const implementations = machine.implementations as unknown as Record<string, object>;
  return coordinator(
    createMachine(
      config as never,
      {
        ...implementations,
        actions: { ...implementations['actions'], ...actions, ...more },
        guards: { ...implementations['guards'], ...guards },
      } as never,
      // A configuration that is put together at run time has no types of its own.
    ) as unknown as AnyStateMachine,
  ) as Coordinator<Input, Output>;
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copy(one)]));
}

/** A seeded bug, and what it was before. */
export interface Mutant {
  readonly name: string;
  /** The property that finds it. */
  readonly foundBy: string;
  /** Steps after the beginning in the shortest way to it. */
  readonly steps: number;
  readonly mutant: Protocol<never, never>;
  readonly sound: Protocol<never, never>;
}

/** A state of a protocol whose context is read by name. */
export type State<Output = JsonValue> = GroupState<{ readonly [name: string]: JsonValue }, Output>;

/** A mutant of `model`: the same protocol with and without the fault. */
export function mutant<Machine, Context, Output>(
  name: string,
  [foundBy, steps]: readonly [foundBy: string, steps: number],
  model: (machine: Machine) => Protocol<Context, Output>,
  [bad, good]: readonly [bad: Machine, good: Machine],
): Mutant {
  return {
    name,
    foundBy,
    steps,
    mutant: model(bad) as unknown as Mutant['mutant'],
    sound: model(good) as unknown as Mutant['sound'],
  };
}
