/** The scripted harness, for tests: outcomes are given beforehand or by hand, and what was asked is kept. */
import { systemClock, type Clock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import { checkBounds } from './check-bounds.ts';
import { cancelledBy, failWith } from './outcome.ts';
import type { Attempt, Harness, Invocation, Outcome, Progress } from './port.ts';

/** What happens to one attempt. */
export type Step =
  | Outcome
  /** Settled by hand; an abort settles it as `cancelled`. */
  | { readonly step: 'hold' }
  /** Settled by hand only: an abort changes nothing. */
  | { readonly step: 'never' }
  /** Settled `ms` later by the clock; an abort settles it as `cancelled` at once. */
  | { readonly step: 'later'; readonly ms: number; readonly outcome: Outcome }
  /** The promise rejects, as from a harness with a bug. */
  | { readonly step: 'reject'; readonly error: unknown };

/** One step for every attempt, a list by attempt number, or a function of the attempt. */
export type MemberScript = Step | readonly Step[] | ((attempt: Attempt) => Step);

/** By `<group>/<member>`, else by member, else `*`. */
export type Script = Readonly<Record<string, MemberScript>>;

/** Options of {@link scripted}. */
export interface ScriptedOptions {
  readonly capabilities?: readonly string[];
  readonly concurrency?: number;
  /** Measures `later`. Default: the machine's own clock; tests pass a hand clock. */
  readonly clock?: Clock;
}

/** One attempt as it was asked for. */
export interface Call {
  readonly key: string;
  readonly run: string;
  readonly group: string;
  readonly member: string;
  readonly attempt: number;
  readonly invocation: Invocation;
}

/** A scripted harness, with hands for the test. */
export interface ScriptedHarness extends Harness {
  /** Every performance, in the order asked; one key twice is one attempt performed twice (G4). */
  readonly calls: readonly Call[];
  /** Keys that were swept, in order. */
  readonly swept: readonly string[];
  /** Performances not settled yet, in the order asked. */
  open(): readonly Call[];
  /** Settles the oldest open performance of a member (`<member>` or `<group>/<member>`). UNKNOWN_MEMBER when there is none. */
  settle(member: string, outcome: Outcome): void;
  /** Reports progress from the oldest open performance of a member. UNKNOWN_MEMBER when there is none. */
  report(member: string, progress: Progress): void;
  /** Resolves when `count` performances (default: one more than so far) have been asked for, of this member if one is named. */
  asked(options?: { readonly member?: string; readonly count?: number }): Promise<void>;
}

/** Settled by hand with `settle`, or by an abort. */
export const hold: Step = { step: 'hold' };
/** Settled by hand only; ignores its abort. */
export const never: Step = { step: 'never' };
/** Settles `ms` later by the harness's clock. */
export const later = (ms: number, outcome: Outcome): Step => ({ step: 'later', ms, outcome });

interface OpenCall {
  readonly call: Call;
  readonly attempt: Attempt;
  readonly settle: (outcome: Outcome) => void;
}

/**
 * A deterministic harness. An attempt is answered by its member's script at index `attempt - 1`, so that one performed
 * again after a crash is answered alike; past the end of a list, and for a member without a script, the outcome is class
 * `refused`, code SCRIPT_MISSING. `sweep` forgets the open performances of a key, as if their host had died: they never settle.
 */
export function scripted(script: Script = { '*': hold }, options: ScriptedOptions = {}): ScriptedHarness {
  const { capabilities, concurrency, clock = systemClock } = options;
  checkBounds('scripted', options);
  const calls: Call[] = [];
  const swept: string[] = [];
  const open = new Set<OpenCall>();
  const waiting = new Set<() => void>();

  const oldestOpen = (member: string): OpenCall => {
    const found = [...open].find(({ call }) => isMember(call, member));
    if (found !== undefined) return found;
    const names = [...open].map(({ call }) => `${call.group}/${call.member}`).join(', ');
    throw new TroupeError('UNKNOWN_MEMBER', `member \`${member}\` has no open attempt. Open: ${names || 'none'}.`);
  };

  const perform = (attempt: Attempt): Promise<Outcome> => {
    const { run, group, member, key, invocation, signal } = attempt;
    const call: Call = { key, run, group, member, attempt: attempt.attempt, invocation };
    calls.push(call);
    const step = stepOf(script, attempt);
    const answer = new Promise<Outcome>((resolve, reject) => {
      if ('status' in step) return resolve(step);
      if (step.step === 'reject') return reject(step.error);
      let callOff: (() => void) | undefined;
      const entry: OpenCall = {
        call,
        attempt,
        settle(outcome) {
          open.delete(entry);
          callOff?.();
          resolve(outcome);
        },
      };
      open.add(entry);
      if (step.step === 'never') return;
      const onAbort = () => open.has(entry) && entry.settle(cancelledBy(signal));
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      if (step.step === 'later')
        callOff = clock.wakeAt(clock.now() + step.ms, () => open.has(entry) && entry.settle(step.outcome));
    });
    for (const look of waiting) look();
    return answer;
  };

  return {
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(concurrency === undefined ? {} : { concurrency }),
    calls,
    swept,
    open: () => [...open].map(({ call }) => call),
    perform,
    settle: (member, outcome) => oldestOpen(member).settle(outcome),
    report: (member, progress) => oldestOpen(member).attempt.progress(progress),
    asked({ member, count } = {}) {
      const seen = () => (member === undefined ? calls.length : calls.filter((call) => isMember(call, member)).length);
      const wanted = count ?? seen() + 1;
      return new Promise((resolve) => {
        const look = () => {
          if (seen() < wanted) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
    async sweep(key) {
      swept.push(key);
      for (const entry of open) if (entry.call.key === key) open.delete(entry);
    },
  };
}

function isMember({ group, member }: Call, name: string): boolean {
  return name === member || name === `${group}/${member}`;
}

function stepOf(script: Script, attempt: Attempt): Step {
  const { group, member, attempt: number } = attempt;
  const name = [`${group}/${member}`, member, '*'].find((key) => Object.hasOwn(script, key));
  const lines = name === undefined ? undefined : script[name];
  const step = typeof lines === 'function' ? lines(attempt) : isList(lines) ? lines[number - 1] : lines;
  return (
    step ??
    failWith(
      'refused',
      'SCRIPT_MISSING',
      `the script says nothing about attempt ${number} of member \`${group}/${member}\`.`,
    )
  );
}

/** Array.isArray does not narrow readonly arrays. */
function isList(lines: MemberScript | undefined): lines is readonly Step[] {
  return Array.isArray(lines);
}
