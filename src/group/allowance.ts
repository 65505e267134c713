/**
 * Who may make the next attempt, and who performs it: budgets first, then the router. Pure reading of what is recorded;
 * what it decides is recorded with the attempt.
 */
import { isTroupeError, TroupeError } from '../error.ts';
import type { FailureClass, Invocation } from '../harness/port.ts';
import { fallbackOf, route, type Route, type RouteQuestion } from '../harness/route.ts';
import {
  addSpend,
  budgetGate,
  isHosts,
  limitsExceeded,
  limitsPassed,
  limitsReached,
  membersReached,
  noSpend,
  overspendText,
  type BudgetPolicy,
  type Overspend,
  type Spend,
} from './budget.ts';
import { addressSeparator } from './address.ts';
import type { ActorKey, Address } from './effect.ts';
import type { GroupContext } from './group-context.ts';
import type { Ledger, MemberRecord } from './ledger.ts';

/** Why a budget does not let an attempt begin now. */
export type Over =
  | { readonly type: 'refuse'; readonly error: TroupeError }
  /** The group is over a budget whose policy is to stop. */
  | { readonly type: 'stop'; readonly reason: string }
  /** What is under way is expected to use up what it would need: the member waits for one of those to end. */
  | { readonly type: 'hold'; readonly why: string }
  /** The member waits for the answer at the gate `budget`. */
  | { readonly type: 'ask'; readonly question: string };

/** What may happen next to a member that wants an attempt. */
export type Allowance =
  | Exclude<Over, { readonly type: 'hold' }>
  | { readonly type: 'go'; readonly route: Route }
  /** As {@link Over}, and who would perform it. */
  | { readonly type: 'hold'; readonly why: string; readonly route: Route }
  /** It is tried again when it fails, and whoever could do it has an open circuit until then, ms since 1970. */
  | { readonly type: 'wait'; readonly until: number };

/** A limit that is nearly reached, told once. */
export interface Warning extends Overspend {
  readonly whose: string;
}

interface Purse {
  readonly whose: string;
  readonly policy: BudgetPolicy;
  readonly spent: Spend;
  /** What attempts under way are expected to use yet. */
  readonly kept: Partial<Spend>;
  /** Members that have begun. */
  readonly begun: number;
}

const theRun = 'the run';

/** Decides about a group's attempts. */
export interface Allowances {
  next(key: ActorKey, invocation: Invocation, record: MemberRecord | undefined): Allowance;
  /** What only its budgets say; undefined when they let it begin. */
  over(key: ActorKey, invocation: Invocation, record: MemberRecord | undefined): Over | undefined;
  /** Whether another harness is to be tried at once after a failure of this class. */
  hasFallback(key: ActorKey, invocation: Invocation, record: MemberRecord | undefined, failure: FailureClass): boolean;
  /** Why the group is to be stopped, whoever wants another attempt: more was spent than a budget allows whose policy that is. */
  overspent(): string | undefined;
  /** Limits that are nearly reached and have not been told; telling them here counts. */
  warnings(): readonly Warning[];
}

/** The allowances of one group. */
export function allowancesOf(
  context: GroupContext,
  group: string,
  policy: BudgetPolicy | undefined,
  ledger: () => Ledger,
): Allowances {
  /** By the answer at the host's own gate: nobody else's question is about money, whatever it is called. */
  const lifted = () => {
    const gate = ledger().gates.get(budgetGate);
    return gate !== undefined && isHosts(gate) && gate.answer?.approved === true;
  };
  const declared = Object.entries(context.harnesses);
  const told = new Set<string>();
  /** Places of members in their group, in the order in which they were asked for. */
  const places = new Map<Address, number>();

  const placeOf = (address: Address): number => {
    if (places.size === 0) for (const known of ledger().members.keys()) places.set(known, places.size);
    const place = places.get(address) ?? places.size;
    places.set(address, place);
    return place;
  };

  /** What some groups have spent: by their books and what is on its way there, by attempts that were allowed and not begun, and, of time, by those under way. */
  const spentBy = (ledgers: Iterable<Ledger>, rule: BudgetPolicy): Spend => {
    let spent = noSpend;
    for (const one of ledgers) {
      const { attempts = 0 } = context.granted.get(one.name) ?? {};
      spent = addSpend(addSpend(spent, one.spend), { attempts, ...context.expectations.unbooked(one.name) });
      if (rule.wallMs === undefined || (one.status !== 'active' && one.goingOn.size === 0)) continue;
      for (const member of one.members.values()) spent = addSpend(spent, { wallMs: underWayMs(member) });
    }
    return spent;
  };
  const keptBy = (ledgers: Iterable<Ledger>, rule: BudgetPolicy): Partial<Spend> => {
    let kept = noSpend;
    for (const { name } of ledgers) kept = addSpend(kept, context.expectations.left(name, rule.expects));
    return kept;
  };
  const begunIn = (ledgers: Iterable<Ledger>): number => {
    let begun = 0;
    for (const one of ledgers) begun += one.begun + (context.granted.get(one.name)?.members ?? 0);
    return begun;
  };
  /** One that was lost with an earlier host is charged when that is recorded, not for the time in which there was none. */
  const underWayMs = ({ status, startedAt, harness }: MemberRecord) => {
    if (status !== 'running' || startedAt === undefined) return 0;
    const isLost = startedAt < context.openedAt && context.harnesses[harness]?.reattach === undefined;
    return isLost ? 0 : Math.max(0, context.clock.now() - startedAt);
  };

  const purses = (): readonly Purse[] => {
    const list: Purse[] = [];
    const add = (whose: string, rule: BudgetPolicy, ledgers: () => Iterable<Ledger>) => {
      const spent = spentBy(ledgers(), rule);
      list.push({ whose, policy: rule, spent, kept: keptBy(ledgers(), rule), begun: begunIn(ledgers()) });
    };
    if (context.budget !== undefined) add(theRun, context.budget, () => context.ledgers.values());
    if (policy !== undefined) add(`group \`${group}\``, policy, () => [ledger()]);
    return list;
  };

  const overBudget = (key: ActorKey, invocation: Invocation, record: MemberRecord | undefined): Over | undefined => {
    const [own] = limitsReached(invocation.budget, record?.spend ?? noSpend);
    if (own !== undefined)
      return {
        type: 'refuse',
        error: new TroupeError('BUDGET', overspendText(`member \`${key.address}\``, own), { ...own }),
      };
    const isLifted = lifted();
    const isNew = record?.startedAt === undefined;
    let why: string | undefined;
    for (const { whose, policy: rule, spent, kept, begun } of purses()) {
      // Nobody was asked about the others: they hold whatever the answer was.
      if (isLifted && rule.over === 'ask') continue;
      const first = isNew ? membersReached(rule, begun, key.address.split(addressSeparator).length) : [];
      const { expects = rule.expects } = invocation;
      const [over] = [...first, ...limitsReached(rule, spent), ...limitsExceeded(rule, spent, expects)];
      if (over === undefined) {
        const [may] = limitsExceeded(rule, addSpend(spent, kept), expects);
        if (may !== undefined) why ??= `what is under way may use up the budget of ${whose}: ${may.what} ${may.limit}`;
        continue;
      }
      const text = overspendText(whose, over);
      if (rule.over === 'ask') return { type: 'ask', question: `${text} Go on without this bound?` };
      if (rule.over === 'stop') return { type: 'stop', reason: text };
      return { type: 'refuse', error: new TroupeError('BUDGET', text, { whose, ...over }) };
    }
    return why === undefined ? undefined : { type: 'hold', why };
  };

  const questionOf = (key: ActorKey, invocation: Invocation, failures: RouteQuestion['failures']): RouteQuestion => {
    const now = context.clock.now();
    const harnesses = declared.map(([name, { capabilities = [], concurrency = Number.POSITIVE_INFINITY }]) => ({
      name,
      capabilities,
      running: context.dispatcher.load(name),
      concurrency,
      openUntil: context.breakers.openUntil(name, now),
    }));
    const { defaultHarness, fallback } = context;
    return {
      member: key.address,
      invocation,
      harnesses,
      defaultHarness,
      fallback,
      order: placeOf(key.address),
      failures,
    };
  };

  return {
    next(key, invocation, record) {
      const over = overBudget(key, invocation, record);
      if (over !== undefined && over.type !== 'hold') return over;
      const failures = record?.failed ?? [];
      try {
        const found = route(questionOf(key, invocation, failures));
        return over === undefined ? { type: 'go', route: found } : { ...over, route: found };
      } catch (error) {
        if (!isTroupeError(error, 'NO_HARNESS')) throw error;
        const { openUntil } = error.details as { readonly openUntil?: number };
        // Who may be tried later may wait as well.
        const isPatient = failures.length > 0 || (invocation.retry?.attempts ?? 1) > 1;
        if (isPatient && openUntil !== undefined) return { type: 'wait', until: openUntil };
        return { type: 'refuse', error };
      }
    },
    over: overBudget,
    hasFallback(key, invocation, record, failure) {
      const failures = [...(record?.failed ?? []), { harness: record?.harness ?? '', class: failure }];
      return fallbackOf(questionOf(key, invocation, failures)) !== undefined;
    },
    overspent() {
      for (const { whose, policy: rule, spent } of purses()) {
        const [over] = rule.over === 'stop' ? limitsPassed(rule, spent) : [];
        if (over !== undefined) return overspendText(whose, over);
      }
      return undefined;
    },
    warnings: () =>
      purses().flatMap(({ whose, policy: rule, spent, begun }) => {
        const recorded = whose === theRun ? context.warned : ledger().warned;
        const { warnAt = 0.8, members } = rule;
        const crowd: readonly Overspend[] =
          members !== undefined && begun >= members * warnAt ? [{ what: 'members', spent: begun, limit: members }] : [];
        return [...limitsReached(rule, spent, warnAt), ...crowd].flatMap((near) => {
          const warning = JSON.stringify([whose, near.what]);
          if (recorded.has(warning) || told.has(warning)) return [];
          told.add(warning);
          if (whose === theRun) context.warned.add(warning);
          return [{ whose, ...near }];
        });
      }),
  };
}
