/**
 * Leave to make attempts: asks the budgets and the router, holds back who has to wait for an answer at the budget's gate, or for what is under
 * way to end where the budget may not be enough for both. Those that wait for that go on in the order in which they came: a dear one is not
 * passed by cheap ones until nothing is left for it.
 */
import { TroupeError } from '../error.ts';
import type { FailureClass, Invocation, Usage } from '../harness/port.ts';
import type { Route } from '../harness/route.ts';
import { allowancesOf, type Over } from './allowance.ts';
import { budgetGate, isHosts } from './budget.ts';
import type { BudgetPolicy } from './budget.ts';
import type { ActorKey } from './effect.ts';
import type { GroupContext } from './group-context.ts';
import type { Ledger, MemberRecord } from './ledger.ts';
import type { Push } from './entries.ts';
import { attempted, type Living } from './living.ts';

/** The attempt is to be asked for again then, ms since 1970. */
export interface Pause {
  readonly until: number;
}

/** The permits of one group. */
export interface Permits {
  /** Who performs the next attempt; undefined when none is made now. Codes: BUDGET, NO_HARNESS. */
  ask(member: Living, invocation: Invocation): Route | Pause | undefined;
  /** There is a place with that harness for the attempt that was allowed: whether it is to begin now. If not, it has been seen to. */
  askAgain(member: Living, invocation: Invocation, harness: string, refuse: (error: unknown) => void): boolean;
  /** Whether another harness is to be tried at once after a failure of this class. */
  hasFallback(member: Living, failure: FailureClass): boolean;
  /** The start of the attempt is recorded: it counts from there. */
  used(member: Living): void;
  /** Something more has been spent, and is in the books. */
  spent(): void;
  /** An earlier host's attempt goes on: what it is expected to use is kept free. */
  keep(member: Living, invocation: Invocation): void;
  /** The attempt is over and has used this; what is returned is to be called when that is in the books, or never will be. */
  over(member: Living, usage: Usage | undefined): () => void;
  /** The member is wanted no longer. */
  forget(member: Living): void;
  /** The gate was answered: who waited may ask again. */
  release(): readonly Living[];
}

/** Makes the permits of a group. */
export function permitsOf(options: {
  readonly context: GroupContext;
  readonly group: string;
  readonly budget: BudgetPolicy | undefined;
  readonly push: Push;
  ledger(): Ledger;
  recordOf(key: ActorKey): MemberRecord | undefined;
  /** Asks once more for one that was told to wait. */
  again(member: Living): void;
}): Permits {
  const { context, group, budget, push, ledger, recordOf, again } = options;
  const { expectations } = context;
  const hasBudget = budget !== undefined || context.budget !== undefined;
  const allowances = allowancesOf(context, group, budget, ledger);
  const held = new Set<Living>();
  /** Those that wait for what is under way, in the order in which they came. */
  const line = new Set<Living>();
  let isServed = false;
  let isAsking = false;
  let isStopping = false;

  const grant = (member: Living, by: 0 | 1) => {
    if (member.granted === by) return;
    const { attempts, members } = context.granted.get(group) ?? { attempts: 0, members: 0 };
    const change = by - member.granted;
    context.granted.set(group, {
      attempts: attempts + change,
      members: members + (member.attempt === 1 ? change : 0),
    });
    member.granted = by;
  };

  const wait = (member: Living, question: string) => {
    const named = ledger().gates.get(budgetGate);
    const gate = named !== undefined && isHosts(named) ? named : undefined;
    if (gate?.answer?.approved === false) {
      throw new TroupeError('BUDGET', `${question} The answer was no: ${gate.answer.note || 'without a note'}.`);
    }
    held.add(member);
    if (gate === undefined && !isAsking) push('gate.opened', { name: budgetGate, question });
    isAsking = true;
  };

  /** What an attempt under way has told of its spending. */
  const toldBy = (member: Living, attempt: number) => {
    const record = recordOf(member);
    return record?.status === 'running' && record.attempt === attempt ? record.told : undefined;
  };

  const keep = (member: Living, { expects }: Invocation) => {
    if (!hasBudget) return;
    const { attempt } = member;
    member.keeping = expectations.keep(group, { expects, told: () => toldBy(member, attempt) });
  };

  const isExpecting = ({ expects }: Invocation) =>
    [expects ?? budget?.expects, expects ?? context.budget?.expects].some(
      (use) => (use?.tokens ?? 0) > 0 || (use?.costUsd ?? 0) > 0,
    );

  const enqueue = (
    member: Living,
    { harness, rejected = [] }: Pick<Route, 'harness'> & Partial<Route>,
    why: string,
  ) => {
    if (line.size === 0) expectations.whenFreed(serve);
    line.add(member);
    member.phase = 'held';
    push('attempt.queued', { ...attempted(member), harness, why, ...(rejected.length > 0 ? { rejected } : {}) });
  };

  /** Lets those go on that need not wait any longer, up to the first that must. */
  const serve = () => {
    for (const member of line) {
      if (allowances.next(member, member.input, recordOf(member)).type === 'hold') {
        expectations.whenFreed(serve);
        return;
      }
      line.delete(member);
      isServed = true;
      again(member);
      isServed = false;
    }
  };

  const stop = (reason: string) => {
    if (ledger().cancelReason === undefined && !isStopping) push('group.cancelled', { reason });
    isStopping = true;
  };

  const warn = () => {
    for (const warning of allowances.warnings()) push('budget.warned', warning);
  };

  /** Ends what is under way where too much has been spent: whatever is not stopped goes on spending. */
  const look = () => {
    const { status, goingOn, members } = ledger();
    if ((status !== 'active' && goingOn.size === 0) || isStopping) return;
    const reason = allowances.overspent();
    if (reason !== undefined && [...members.values()].some((member) => member.status === 'running')) stop(reason);
  };
  if (context.budget?.over === 'stop') context.spendingLooks.add(look);

  const keepBack = (member: Living, over: Exclude<Over, { readonly type: 'hold' }>) => {
    switch (over.type) {
      case 'refuse':
        throw over.error;
      case 'stop':
        stop(over.reason);
        return;
      case 'ask':
        wait(member, over.question);
    }
  };

  return {
    ask(member, invocation) {
      const allowance = allowances.next(member, invocation, recordOf(member));
      switch (allowance.type) {
        case 'go':
          if (line.size > 0 && !isServed && isExpecting(invocation)) {
            enqueue(member, allowance.route, 'others waited for room in the budget before it');
            return undefined;
          }
          grant(member, 1);
          keep(member, invocation);
          warn();
          return allowance.route;
        case 'wait':
          return { until: allowance.until };
        case 'hold':
          enqueue(member, allowance.route, allowance.why);
          return undefined;
        case 'ask':
        case 'refuse':
        case 'stop':
          keepBack(member, allowance);
          return undefined;
      }
    },
    askAgain(member, invocation, harness, refuse) {
      const isOpen = context.breakers.openUntil(harness, context.clock.now()) !== undefined;
      if (!hasBudget && !isOpen) return true;
      const { keeping } = member;
      keeping?.aside();
      grant(member, 0);
      const over = allowances.over(member, invocation, recordOf(member));
      if (over === undefined && !isOpen) {
        grant(member, 1);
        keep(member, invocation);
        return true;
      }
      member.keeping = undefined;
      member.phase = 'held';
      // When whoever gave it the place is done with this one.
      queueMicrotask(() => {
        keeping?.free();
        if (over === undefined && member.phase === 'held') again(member);
      });
      try {
        if (over?.type === 'hold') enqueue(member, { harness }, over.why);
        else if (over !== undefined) keepBack(member, over);
      } catch (error) {
        refuse(error);
      }
      return false;
    },
    hasFallback: (member, failure) => allowances.hasFallback(member, member.input, recordOf(member), failure),
    used: (member) => grant(member, 0),
    spent() {
      if (!hasBudget) return;
      warn();
      look();
      for (const other of context.spendingLooks) other();
    },
    keep,
    over(member, usage) {
      const { keeping, attempt } = member;
      member.keeping = undefined;
      keeping?.aside();
      const booked =
        usage === undefined || !hasBudget
          ? undefined
          : expectations.used(group, { usage, told: () => toldBy(member, attempt) });
      return () => {
        booked?.();
        keeping?.free();
      };
    },
    forget(member) {
      held.delete(member);
      grant(member, 0);
      // Whoever came after it may go on, unless all are being called off.
      if (line.delete(member)) queueMicrotask(serve);
    },
    release() {
      // A yes may have made room for those in the line too.
      if (line.size > 0) queueMicrotask(serve);
      const released = [...held];
      held.clear();
      return released;
    },
  };
}
