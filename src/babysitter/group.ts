/**
 * A group in a babysitter process: one effect, whoever drives the run. Its identity is the run's id and its name, so that it is the same
 * in each iteration and process; babysitter's own ways to tell effects from each other (a counter of calls, or what is pending) do not matter.
 */
import type { AnyStateMachine } from 'xstate';
import { TroupeError } from '../error.ts';
import { define } from '../group/definition.ts';
import { toJson, type JsonValue } from '../json.ts';
import type { InputOf, OpenOptions, OutputOf } from '../process/context.ts';
import { declareGroup } from './declared.ts';
import { journalOf, resultIn, type GroupOutcome, type GroupResult } from './group-result.ts';
import { groupIdOf, inputHashOf } from './run/hash.ts';

/** The kind of a group's effect. */
export const groupKind = 'effect_group';

/** What {@link group} needs of babysitter's process context, any version. */
export interface BabysitterContext {
  task(
    task: {
      readonly id: string;
      build(args: unknown, context: TaskBuildContext): { readonly kind: string; readonly [field: string]: unknown };
    },
    args: unknown,
    options?: { readonly key?: string; readonly label?: string },
  ): Promise<unknown>;
}

/** What babysitter says when an effect is built. */
export interface TaskBuildContext {
  readonly effectId: string;
  readonly runId: string;
  readonly runDir: string;
}

/** How a group is driven, and how its process is told of it. */
export interface GroupOptions extends Pick<OpenOptions, 'bounds' | 'budget' | 'concurrency'> {
  /** A failed or cancelled group is thrown (`throw`, the default), or is a value: see {@link GroupOutcome}. */
  readonly failure?: 'throw' | 'value';
  /**
   * Kind of its effect: `effect_group` (default), which `troupe babysit` performs; or `shell`, for a run that an agent drives by
   * babysitter's own instructions: its command is `troupe run-effect`.
   */
  readonly as?: 'effect_group' | 'shell';
}

/** Names that each pass has used; a pass has a context of its own. */
const namesOf = new WeakMap<BabysitterContext, Set<string>>();

/**
 * Opens the group `name` and resolves to its coordinator's output. To be called in a babysitter process; what babysitter throws to end an
 * iteration passes through.
 * Codes: GROUP_FAILED (it failed or was cancelled), GROUP_MISMATCH (recorded with another input), DUPLICATE_NAME, BAD_INPUT,
 * MACHINE_UNSUPPORTED, NOT_JSON.
 */
export async function group<Machine extends AnyStateMachine>(
  ctx: BabysitterContext,
  name: string,
  machine: Machine,
  input: InputOf<Machine>,
  options: GroupOptions & { readonly failure: 'value' },
): Promise<GroupOutcome<OutputOf<Machine>>>;
export async function group<Machine extends AnyStateMachine>(
  ctx: BabysitterContext,
  name: string,
  machine: Machine,
  input: InputOf<Machine>,
  options?: GroupOptions,
): Promise<OutputOf<Machine>>;
export async function group(
  ctx: BabysitterContext,
  name: string,
  machine: AnyStateMachine,
  given: unknown,
  { failure = 'throw', as = groupKind, ...options }: GroupOptions = {},
): Promise<unknown> {
  takeName(ctx, name);
  const { version } = define(machine);
  const input = toJson(given ?? null, `input of group \`${name}\``);
  const inputHash = inputHashOf(input);
  declareGroup({ name, machine, input, options });
  const about = { name, inputHash, failure, machine: { id: machine.id, version } };
  // The name stands in the task's id, which all versions make part of an effect's key: no group is given another one's result.
  const task = {
    id: `group.${name}`,
    build: (_: unknown, context: TaskBuildContext) => definitionOf(about, as, context),
  };
  let value: unknown;
  try {
    value = await ctx.task(task, { name, input }, { key: `group.${name}`, label: `group.${name}` });
  } catch (error) {
    if (isIntrinsic(error)) throw error;
    const result = resultIn((error as { readonly data?: unknown } | undefined)?.data);
    if (result === undefined) throw error;
    value = result;
  }
  return told(about, value);
}

interface About {
  readonly name: string;
  readonly inputHash: string;
  readonly failure: 'throw' | 'value';
  readonly machine: { readonly id: string; readonly version: string };
}

function definitionOf({ name, inputHash, failure, machine }: About, as: string, context: TaskBuildContext) {
  const { effectId, runId, runDir } = context;
  const id = groupIdOf(runId, name);
  const metadata = { group: { id, name, machine, inputHash, failure, journal: journalOf(id) } };
  const common = { kind: as, title: `Group ${name}`, labels: [`group.${name}`], metadata };
  if (as !== 'shell') return common;
  const command = `npx troupe run-effect --run-dir ${quoted(runDir)} --effect ${effectId} --print`;
  return { ...common, shell: { command } };
}

const quoted = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`;

function takeName(ctx: BabysitterContext, name: string): void {
  if (typeof name !== 'string' || name === '' || name.length > 200) {
    throw new TroupeError(
      'BAD_INPUT',
      `expected the name of a group to be a text of 1 to 200 characters, got ${JSON.stringify(name)}.`,
    );
  }
  const names = namesOf.get(ctx) ?? new Set();
  namesOf.set(ctx, names);
  if (names.has(name)) {
    throw new TroupeError(
      'DUPLICATE_NAME',
      `this process has opened a group \`${name}\` before. Names are identities: give the second another name, or keep the first one's result.`,
    );
  }
  names.add(name);
}

function told({ name, inputHash, failure }: About, value: unknown): unknown {
  const result = resultIn(value);
  if (result === undefined || result.group !== name) {
    throw new TroupeError(
      'BAD_INPUT',
      `group \`${name}\`: expected its effect to be resolved by \`troupe babysit\` or \`troupe run-effect\`, got ${(JSON.stringify(value) ?? 'nothing').slice(0, 200)}.`,
    );
  }
  if (result.inputHash !== inputHash) {
    throw new TroupeError(
      'GROUP_MISMATCH',
      `group \`${name}\` (${result.groupId}) has ended with another input than the process passes now (${result.inputHash}, not ${inputHash}). A process must pass the same in each iteration: take what changes from a task's result.`,
      { group: name },
    );
  }
  return failure === 'value' ? outcomeOf(result) : outputOf(name, result);
}

function outputOf(name: string, result: GroupResult): JsonValue {
  if (result.status === 'completed') return result.output;
  if (result.status === 'cancelled')
    throw new TroupeError('GROUP_FAILED', `group \`${name}\` was cancelled: ${result.reason}.`, { group: name });
  throw new TroupeError('GROUP_FAILED', `group \`${name}\` failed: ${result.error.message}`, {
    group: name,
    error: result.error,
  });
}

function outcomeOf(result: GroupResult): GroupOutcome<JsonValue> {
  switch (result.status) {
    case 'completed':
      return { status: 'completed', output: result.output };
    case 'failed':
      return { status: 'failed', error: result.error };
    case 'cancelled':
      return { status: 'cancelled', reason: result.reason };
  }
}

const intrinsicNames = new Set(['EffectRequestedError', 'EffectPendingError', 'ParallelPendingError']);

/** What babysitter throws to end an iteration; by its name, for a process may have loaded another copy of the SDK. */
export function isIntrinsic(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { name, isIntrinsic: isMarked } = error as { readonly name?: unknown; readonly isIntrinsic?: unknown };
  return isMarked === true || (typeof name === 'string' && intrinsicNames.has(name));
}
