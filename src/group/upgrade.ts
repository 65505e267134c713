/**
 * How a machine goes on with groups that older versions of it began: pinned to the old machine, or taken over. Kept on the
 * machine itself under a shared symbol, so that another copy of this library finds it too.
 */
import type { AnyStateMachine } from 'xstate';
import { TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import { isMachine } from './kind.ts';

/** What is given beside a machine that changes over time. */
export interface Upgrade {
  /**
   * Names this version in journals: 1 to 100 characters. Default: a hash of the machine's definition and of the source text of its
   * functions, which two builds of one source may not share.
   */
  readonly version?: string;
  /** Older machines. A group that one of them began stays with it to its end, unless {@link Upgrade.migrate} takes it over. */
  readonly previous?: readonly AnyStateMachine[];
  /** How groups of older versions are taken over when their run is opened next. */
  readonly migrate?: readonly Migration[];
}

/** An input that an older version folded: an entry of the group's stream. */
export interface OldInput {
  readonly seq: number;
  /** ms since 1970. */
  readonly at: number;
  readonly type: 'member.progress' | 'member.settled' | 'message' | 'signal' | 'timer.fired';
  /** As `GroupEvents` tells. */
  readonly data: JsonValue;
}

/** The coordinator's own state, as XState has it. */
export interface CoordinatorState {
  readonly value: unknown;
  /** May hold refs of children; they stay good. */
  readonly context: unknown;
}

/** Takes over groups of one older version, either from the state they have come to or by folding their inputs again. Pure functions. */
export type Migration = {
  /** The version that is taken over: the old machine, or, with `events`, also only its version. */
  readonly from: AnyStateMachine | string;
  /** From the recorded input to the one that the process passes now. Default: the same. */
  readonly input?: (old: JsonValue) => JsonValue;
} & (
  | {
      /** From the state that the old machine has come to. Default: the same state, which the new machine must have too. */
      readonly state?: (old: CoordinatorState) => CoordinatorState;
      readonly events?: never;
    }
  | {
      readonly state?: never;
      /** What the new machine folds in the place of each old input: other data, or undefined for none. */
      readonly events: (old: OldInput) => JsonValue | undefined;
    }
);

const mark = Symbol.for('troupe.upgrade');

const none: Upgrade = {};

/** What was declared of `machine`; nothing when nothing was. */
export function upgradeOf(machine: AnyStateMachine): Upgrade {
  return (machine as unknown as { readonly [mark]?: Upgrade })[mark] ?? none;
}

/** Declares it. Codes: BAD_INPUT. */
export function declareUpgrade(machine: AnyStateMachine, upgrade: Upgrade): void {
  checkUpgrade(machine.id, upgrade);
  Object.defineProperty(machine, mark, { value: upgrade, configurable: true });
}

function checkUpgrade(id: string, { version, previous = [], migrate = [] }: Upgrade): void {
  const refuse = (what: string): never => {
    throw new TroupeError('BAD_INPUT', `machine \`${id}\`: expected ${what}.`);
  };
  if (version !== undefined && (typeof version !== 'string' || version === '' || version.length > 100))
    refuse(`\`version\` to be a text of 1 to 100 characters, got ${JSON.stringify(version)}`);
  if (!Array.isArray(previous) || !previous.every(isMachine)) refuse('`previous` to be a list of machines');
  if (!Array.isArray(migrate)) refuse('`migrate` to be a list of migrations');
  for (const { from, input, state, events } of migrate) {
    if (typeof from === 'string' ? from === '' : !isMachine(from))
      refuse('`from` of a migration to be the old machine, or its version');
    if (state !== undefined && events !== undefined) refuse('a migration to have `state` or `events`, not both');
    if (typeof from === 'string' && events === undefined)
      refuse(`the migration from version \`${from}\` to have \`events\`: without them its \`from\` is the old machine`);
    for (const one of [input, state, events])
      if (one !== undefined && typeof one !== 'function') refuse('the parts of a migration to be functions');
  }
}
