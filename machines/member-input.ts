/**
 * What the inputs of the library's machines have in common: a member is given as `{ id, ...invocation }`, or as
 * `{ id, machine, input }` where another coordinator is to do it. Checked here, so that what is wrong is one clear
 * sentence, told when the group is opened.
 */
import type { AnyActorRef, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { TroupeError, coordinator, type Coordinator, type Invocation, type JsonValue, type PlainError } from 'troupe';

/** Another coordinator in the place of an invocation: registered under this name with {@link withMachines}. */
export interface NestedMachine {
  /** Its name among the machine's actors. */
  readonly machine: string;
  readonly input?: JsonValue;
}

/** One child without its id: an invocation for a harness, or another coordinator. */
export type Work = Invocation | NestedMachine;

/** One child: its id in the group, and what is wanted of it. */
export type MemberInput = {
  /** Name of the child in the group: not empty, unique among its neighbours, without `::`, no colon at either end. */
  readonly id: string;
} & Work;

/** What XState tells of a child's end. */
export interface MemberEnd {
  readonly type: string;
  readonly actorId: string;
  readonly output: JsonValue;
  readonly error: PlainError;
}

/** A child that succeeded. */
export interface Result {
  readonly id: string;
  readonly output: JsonValue;
}

/** A child that failed. */
export interface Failure {
  readonly id: string;
  readonly error: PlainError;
}

/** What a coordinator puts into a child's `input`, by name. */
export type Given = { readonly [name: string]: JsonValue };

/** More children than this are not asked for at once: XState copies its map of children at every spawn and stop. */
export const concurrencyMax = 256;

/** How XState spawns, as far as the library needs it. */
type Spawn = (source: 'member', options: { readonly id: string; readonly input: Invocation }) => unknown;

/** Spawns a child, with what the coordinator hands on put into its `input`. */
export function spawnWork(spawn: Spawn, id: string, work: Work, given: Given = {}): void {
  const { id: _id, ...wanted } = work as Work & { readonly id?: string };
  const isNested = 'machine' in wanted;
  const hasMore = Object.keys(given).length > 0;
  const input = hasMore ? { ...(wanted.input as Given | undefined), ...given } : wanted.input;
  // Names beside `member` come by `provide`, of which the types made in `setup` know nothing.
  const source = (isNested ? wanted.machine : 'member') as 'member';
  try {
    spawn(source, {
      id,
      input: isNested
        ? (input as Invocation)
        : hasMore
          ? { ...wanted, input: input as JsonValue }
          : (wanted as Invocation),
    });
  } catch (error) {
    // XState's own words name neither the member nor the way out.
    if (!isNested || !(error instanceof Error && /not implemented/.test(error.message))) throw error;
    throw new TroupeError(
      'BAD_INPUT',
      `member \`${id}\`: there is no machine \`${source}\` in this one; add it with withMachines(machine, { ${source} }).`,
    );
  }
}

/** Why {@link spawnWork} could not, as an error that may stand in a context. */
export function whyNot(error: unknown): PlainError {
  const { name, message } = error as Error;
  return { name, message };
}

/**
 * The same coordinator, able to spawn other ones: `withMachines(pipeline, { quorum })`. What comes from outside, and what members send to
 * `coordinator`, is heard by the group's own machine; a nested one hears what is sent to its address, and the answers at its own gates,
 * which are called `<address>/<gate>` then. Throws MACHINE_UNSUPPORTED as `coordinator` does.
 */
export function withMachines<Input, Output>(
  machine: Coordinator<Input, Output>,
  machines: Readonly<Record<string, AnyStateMachine>>,
): Coordinator<Input, Output> {
  return coordinator(machine.provide({ actors: machines })) as Coordinator<Input, Output>;
}

/** Says that the input of `machine` is wrong. */
export function badInput(machine: string, what: string): TroupeError {
  return new TroupeError('BAD_INPUT', `${machine}: ${what}.`);
}

/** The input of a group, which is an object. */
export function checkInput<Input>(machine: string, input: Input): Input {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  throw badInput(machine, `expected its input to be an object, got ${shown(input)}`);
}

function shown(value: unknown): string {
  return `\`${(JSON.stringify(value) ?? String(value)).slice(0, 80)}\` (${typeof value})`;
}

/** A whole number from `min` to `max`, or `otherwise` when it is left out. */
export function wholeNumber(
  machine: string,
  name: string,
  value: number | undefined,
  {
    min = 1,
    max = Number.MAX_SAFE_INTEGER,
    otherwise,
  }: { readonly min?: number; readonly max?: number; readonly otherwise?: number },
): number {
  const number = value ?? otherwise;
  if (Number.isInteger(number) && (number as number) >= min && (number as number) <= max) return number as number;
  const range = max === Number.MAX_SAFE_INTEGER ? `>= ${min}` : `from ${min} to ${max}`;
  throw badInput(machine, `expected \`${name}\` to be a whole number ${range}, got ${shown(value)}`);
}

/** A time in ms, or null when it is left out. */
export function milliseconds(machine: string, name: string, value: number | undefined): number | null {
  if (value === undefined) return null;
  if (Number.isFinite(value) && value >= 1) return value;
  throw badInput(machine, `expected \`${name}\` to be a number of milliseconds >= 1, got ${shown(value)}`);
}

/** One of a few words, or the first of them when it is left out. */
export function oneOf<Word extends string>(
  machine: string,
  name: string,
  value: Word | undefined,
  words: readonly [Word, ...Word[]],
): Word {
  const word = value ?? words[0];
  if (words.includes(word)) return word;
  throw badInput(machine, `expected \`${name}\` to be ${words.join(' or ')}, got ${shown(value)}`);
}

/** What a list of members has to keep to. */
export interface ListRules {
  /** Name of the list in the input; default `members`. */
  readonly name?: string;
  /** Default 1. */
  readonly min?: number;
  /** Default no limit. */
  readonly max?: number;
  /** The coordinator puts something into the members' `input`, so that has to be an object. */
  readonly isGiven?: boolean;
}

/** A list of members: long enough, short enough, of ids that can be part of an address and are there once. */
export function checkMembers<Member extends MemberInput>(
  machine: string,
  members: readonly Member[],
  { name = 'members', min = 1, max = Number.MAX_SAFE_INTEGER, isGiven = false }: ListRules = {},
): readonly Member[] {
  if (!Array.isArray(members))
    throw badInput(machine, `expected \`${name}\` to be a list of members, got ${shown(members)}`);
  if (members.length < min)
    throw badInput(machine, `expected \`${name}\` to hold at least ${min}, got ${members.length}`);
  if (members.length > max)
    throw badInput(machine, `expected \`${name}\` to hold at most ${max}, got ${members.length}`);
  const ids = new Set<string>();
  for (const member of members) {
    // It may be anything: members come from journals and messages too.
    const id = (member as Member | null)?.id as string;
    if (typeof id !== 'string' || id === '' || id.includes('::') || id.startsWith(':') || id.endsWith(':')) {
      throw badInput(
        machine,
        `expected the id of each of \`${name}\` to be a text without \`::\` and without a colon at either end, got ${shown(id)}`,
      );
    }
    if (ids.has(id)) {
      throw new TroupeError(
        'DUPLICATE_NAME',
        `${machine}: two of \`${name}\` are called \`${id}\`. Names are identities: give the second another id.`,
      );
    }
    ids.add(id);
    if (isGiven) checkWork(machine, id, member);
  }
  return members;
}

/** Work that something is put into the `input` of. */
export function checkWork(machine: string, id: string, work: Work): void {
  const { input } = work;
  if (input !== undefined && (typeof input !== 'object' || input === null || Array.isArray(input))) {
    throw badInput(
      machine,
      `expected \`input\` of member \`${id}\` to be an object, because more is put into it, got ${shown(input)}`,
    );
  }
}

/** Whom messages know by these names, so that no child of a group's own machine may have one of them. */
const othersNames: readonly string[] = ['coordinator', 'process', 'outside', '*'];

/**
 * Members whose ids can be theirs: told before any of them has worked. Spawned later, one called `process` would fail the group with all
 * that it has done. `self` is the machine that is to spawn them; the names are free where it is nested in another.
 */
export function checkNames(machine: string, self: AnyActorRef, members: readonly { readonly id: string }[]): void {
  const isNested = self._parent !== undefined;
  const flawed = members.find(({ id }) => /\p{Surrogate}/u.test(id) || (!isNested && othersNames.includes(id)));
  if (flawed === undefined) return;
  const names = othersNames.map((name) => `\`${name}\``).join(', ');
  throw badInput(
    machine,
    `expected an id without half characters, and other than ${names}, which are somebody else's; got ${shown(flawed.id)}`,
  );
}

/** Work that comes while a machine runs, from anybody: as {@link checkNames}, and for another coordinator only where there is one. */
export function checkSpawnable(machine: string, self: AnyActorRef, works: readonly MemberInput[]): void {
  checkNames(machine, self, works);
  const { actors } = (self.getSnapshot() as AnyMachineSnapshot).machine.implementations;
  for (const work of works)
    if ('machine' in work && (typeof work.machine !== 'string' || !Object.hasOwn(actors, work.machine)))
      throw badInput(machine, `member \`${work.id}\`: there is no machine ${shown(work.machine)} in this one`);
}

/** `previous`, if there is one, as it is put into members' `input`. */
export function handedOn(previous: JsonValue | undefined): Given {
  return previous === undefined ? {} : { previous };
}

const shownMax = 10;

/** Why members failed, for the end of a sentence: `a: boom; b: no`. At most ten are shown. */
export function reasons(failed: readonly Failure[]): string {
  const told = failed.slice(0, shownMax).map(({ id, error }) => `${id}: ${error.message.slice(0, 200)}`);
  return [...told, ...(failed.length > shownMax ? [`and ${failed.length - shownMax} more`] : [])].join('; ');
}

/** The error of a group whose members failed: an AggregateError that names them, with the first one's error as its cause. */
export function membersFailed(sentence: string, failed: readonly Failure[]): Error {
  const first = failed[0];
  const message = first === undefined ? sentence : `${sentence}: ${reasons(failed)}`;
  const errors = failed.map(({ error }) => error);
  return first === undefined
    ? new AggregateError(errors, message)
    : new AggregateError(errors, message, { cause: first.error });
}

/** The error of a group that one member's failure ends: that member's error is its cause, its code too. */
export function memberFailed({ id, error }: Failure): Error {
  return Object.assign(
    new Error(`member \`${id}\` failed: ${error.message}`, { cause: error }),
    error.code === undefined ? {} : { code: error.code },
  );
}
