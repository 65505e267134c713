/**
 * Who may make the next attempt, and who performs it: budgets first, then the router. Pure reading of what is recorded;
 * what it decides is recorded with the attempt.
 */
import { TroupeError } from '../error.ts';
import type { Invocation } from '../harness/port.ts';
import { route, type Route } from '../harness/route.ts';
import { addSpend, noSpend, overspend, overspendText, type BudgetPolicy, type Overspend, type Spend } from './budget.ts';
import type { ActorKey } from './effect.ts';
import type { GroupContext } from './group-context.ts';
import type { Ledger, MemberRecord } from './ledger.ts';

/** Name of the gate that asks for more. */
export const budgetGate = 'budget';

/** What may happen next to a member that wants an attempt. */
export type Allowance =
  | { readonly type: 'go'; readonly route: Route }
  | { readonly type: 'refuse'; readonly error: TroupeError }
  /** The group is over a budget whose policy is to stop. */
  | { readonly type: 'stop'; readonly reason: string }
  /** The member waits for the answer at {@link budgetGate}. */
  | { readonly type: 'ask'; readonly question: string };

/** A limit that is nearly reached, told once. */
export interface Warning extends Overspend {
  readonly whose: string;
}

interface Purse {
  readonly whose: string;
  readonly policy: BudgetPolicy | undefined;
  readonly spent: Spend;
}

const grants = ({ granted }: GroupContext) => [...granted.values()].reduce((sum, count) => sum + count, 0);
/** Attempts that were allowed and whose start is not recorded yet count as made. */
const withGrants = (spent: Spend, attempts: number) => addSpend(spent, { attempts });

/** Decides about a group's attempts. */
export interface Allowances {
  next(key: ActorKey, invocation: Invocation, record: MemberRecord | undefined): Allowance;
  /** Limits that are nearly reached and have not been told. */
  warnings(): readonly Warning[];
}

/** The allowances of one group. */
export function allowancesOf(context: GroupContext, group: string, policy: BudgetPolicy | undefined, ledger: () => Ledger): Allowances {
  context.spends.set(group, () => ledger().spend);
  const lifted = () => ledger().gates.get(budgetGate)?.answer?.approved === true;
  const runSpend = () => [...context.spends.values()].map((spend) => spend()).reduce(addSpend, noSpend);
  const purses = (): readonly Purse[] => {
    const list: Purse[] = [];
    if (context.budget !== undefined) list.push({ whose: 'the run', policy: context.budget, spent: withGrants(runSpend(), grants(context)) });
    if (policy !== undefined) {
      list.push({ whose: `group \`${group}\``, policy, spent: withGrants(ledger().spend, context.granted.get(group) ?? 0) });
    }
    return list;
  };

  const overBudget = (key: ActorKey, invocation: Invocation, record: MemberRecord | undefined): Allowance | undefined => {
    const own = overspend(invocation.budget, record?.spend ?? noSpend);
    if (own !== undefined) return { type: 'refuse', error: new TroupeError('BUDGET', overspendText(`member \`${key.address}\``, own), { ...own }) };
    if (lifted()) return undefined;
    for (const { whose, policy: rule, spent } of purses()) {
      const over = overspend(rule, spent);
      if (over === undefined) continue;
      const text = overspendText(whose, over);
      if (rule?.over === 'ask') return { type: 'ask', question: `${text} Go on without this bound?` };
      if (rule?.over === 'stop') return { type: 'stop', reason: text };
      return { type: 'refuse', error: new TroupeError('BUDGET', text, { whose, ...over }) };
    }
    return undefined;
  };

  return {
    next(key, invocation, record) {
      const over = overBudget(key, invocation, record);
      if (over !== undefined) return over;
      const now = context.clock.now();
      const harnesses = Object.entries(context.harnesses).map(([name, { capabilities = [], concurrency = Number.POSITIVE_INFINITY }]) => ({
        name,
        capabilities,
        running: context.dispatcher.load(name),
        concurrency,
        openUntil: context.breakers.openUntil(name, now),
      }));
      try {
        const order = record === undefined ? ledger().members.size : [...ledger().members.keys()].indexOf(key.address);
        const question = { invocation, harnesses, defaultHarness: context.defaultHarness, fallback: context.fallback, order };
        return { type: 'go', route: route({ ...question, failures: record?.failed ?? [] }) };
      } catch (error) {
        return { type: 'refuse', error: error as TroupeError };
      }
    },
    warnings() {
      const told = ledger().warned;
      return purses().flatMap(({ whose, policy: rule, spent }) => {
        const near = overspend(rule, spent, rule?.warnAt ?? 0.8);
        return near === undefined || told.has(JSON.stringify([whose, near.what])) ? [] : [{ whose, ...near }];
      });
    },
  };
}
