/** Leave to make attempts: asks the budgets and the router, holds back who has to wait for an answer at the budget's gate. */
import { TroupeError } from '../error.ts';
import type { FailureClass, Invocation } from '../harness/port.ts';
import type { Route } from '../harness/route.ts';
import { allowancesOf } from './allowance.ts';
import { budgetGate, isHosts } from './budget.ts';
import type { BudgetPolicy } from './budget.ts';
import type { ActorKey } from './effect.ts';
import type { GroupContext } from './group-context.ts';
import type { Ledger, MemberRecord } from './ledger.ts';
import type { Push } from './entries.ts';
import type { Living } from './living.ts';

/** The attempt is to be asked for again then, ms since 1970. */
export interface Pause {
  readonly until: number;
}

/** The permits of one group. */
export interface Permits {
  /** Who performs the next attempt; undefined when none is made now. Codes: BUDGET, NO_HARNESS. */
  ask(member: Living, invocation: Invocation): Route | Pause | undefined;
  /** Whether another harness is to be tried at once after a failure of this class. */
  hasFallback(member: Living, failure: FailureClass): boolean;
  /** The start of the attempt is recorded: it counts from there. */
  used(member: Living): void;
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
}): Permits {
  const { context, group, budget, push, ledger, recordOf } = options;
  const allowances = allowancesOf(context, group, budget, ledger);
  const held = new Set<Living>();
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

  return {
    ask(member, invocation) {
      const allowance = allowances.next(member, invocation, recordOf(member));
      switch (allowance.type) {
        case 'go':
          grant(member, 1);
          for (const warning of allowances.warnings()) push('budget.warned', warning);
          return allowance.route;
        case 'wait':
          return { until: allowance.until };
        case 'refuse':
          throw allowance.error;
        case 'stop':
          if (ledger().cancelReason === undefined && !isStopping) push('group.cancelled', { reason: allowance.reason });
          isStopping = true;
          return undefined;
        case 'ask':
          wait(member, allowance.question);
          return undefined;
      }
    },
    hasFallback: (member, failure) => allowances.hasFallback(member, member.input, recordOf(member), failure),
    used: (member) => grant(member, 0),
    forget(member) {
      held.delete(member);
      grant(member, 0);
    },
    release() {
      const released = [...held];
      held.clear();
      return released;
    },
  };
}
