/**
 * Routing: who performs the next attempt of an invocation, and why. Pure: facts in, one name out; the host journals
 * the answer with its reasons, so a replay reads it and never asks again.
 *
 * Order of the rules: the fallback chain after a failure; the pinned harness; else all that match the needs, are not
 * avoided and whose circuit is closed; of these the preferred, then the least loaded, then round robin by the
 * member's place in its group. The default performs what names no harness and needs nothing; it is never a stand-in for a
 * capability that nobody has.
 *
 * Capabilities are free strings, compared as they are. Typed limits of a harness are strings of the same list, by
 * convention: `language:ts`, `tool:bash`, `mcp`, `steer`, `resume`, `cost:low`; `concurrency` and `ratePerMinute` are numbers
 * of the harness, which the dispatcher keeps.
 */
import { TroupeError } from '../error.ts';
import type { FailureClass, Invocation } from './port.ts';

/** What the router knows of a harness. */
export interface HarnessFacts {
  readonly name: string;
  readonly capabilities: readonly string[];
  /** Attempts under way. */
  readonly running: number;
  /** Attempts at once that it takes. */
  readonly concurrency: number;
  /** Its circuit breaker is open until then, ms since 1970; undefined when it is closed. */
  readonly openUntil: number | undefined;
}

/** What is to be decided. */
export interface RouteQuestion {
  /** Address of the member; for the message of a refusal. */
  readonly member: string;
  readonly invocation: Invocation;
  readonly harnesses: readonly HarnessFacts[];
  /** Harness of invocations that nothing matches. */
  readonly defaultHarness: string | undefined;
  /** Chains for all invocations, by failure class; an invocation's own come first. */
  readonly fallback: Readonly<Partial<Record<FailureClass, readonly string[]>>> | undefined;
  /** Place of the member among those its group asked for: 0 for the first. */
  readonly order: number;
  /** Attempts that failed before, oldest first. */
  readonly failures: readonly { readonly harness: string; readonly class: FailureClass }[];
}

/** Why a harness was not taken. */
export interface Rejection {
  readonly harness: string;
  readonly reason: string;
}

/** The answer: `why` says which rule took it. */
export interface Route {
  readonly harness: string;
  readonly why: string;
  readonly rejected: readonly Rejection[];
}

/** Who performs the next attempt. Code: NO_HARNESS, saying of each harness what it lacks; `details.openUntil` when a closed circuit would do. */
export function route(question: RouteQuestion): Route {
  const { invocation, harnesses, defaultHarness, order } = question;
  const { needs = [], prefer = [] } = invocation;
  const rejected: Rejection[] = [];
  const byName = (name: string) => harnesses.find((facts) => facts.name === name);
  const accept = (name: string): boolean => {
    const reason = reasonAgainst(invocation, byName(name));
    if (reason !== undefined && !rejected.some((one) => one.harness === name)) rejected.push({ harness: name, reason });
    return reason === undefined;
  };
  const take = (harness: string, why: string): Route => ({ harness, why, rejected });

  const next = chainOf(question).find((name) => accept(name));
  if (next !== undefined)
    return take(next, `falls back from ${question.failures.at(-1)?.harness} (${question.failures.at(-1)?.class})`);

  const pinned = invocation.harness;
  if (pinned !== undefined) {
    if (accept(pinned)) return take(pinned, 'is pinned');
    throw refusal(question, rejected);
  }
  if (needs.length > 0 || (invocation.command === undefined && prefer.length > 0)) {
    const matching = harnesses.filter(({ name }) => accept(name));
    const preferred = prefer.find((name) => matching.some((facts) => facts.name === name));
    if (preferred !== undefined) return take(preferred, 'matches, and is preferred');
    if (matching.length > 0) return leastLoaded(matching, order, take);
  } else if (invocation.command !== undefined && accept('command')) {
    return take('command', 'performs commands');
  }
  if (needs.length === 0 && defaultHarness !== undefined && accept(defaultHarness))
    return take(defaultHarness, 'is the default');
  throw refusal(question, rejected);
}

/** The harness that the next attempt falls back to after the last failure; undefined when the chain has none left that fits. */
export function fallbackOf(question: RouteQuestion): string | undefined {
  const { invocation, harnesses } = question;
  return chainOf(question).find(
    (name) =>
      reasonAgainst(
        invocation,
        harnesses.find((facts) => facts.name === name),
      ) === undefined,
  );
}

/** Why a harness does not do for an invocation; undefined when it does. */
function reasonAgainst({ needs = [], avoid = [] }: Invocation, facts: HarnessFacts | undefined): string | undefined {
  if (facts === undefined) return 'is not declared';
  const lacking = needs.filter((need) => !facts.capabilities.includes(need));
  if (lacking.length > 0) return `lacks [${lacking.join(', ')}]`;
  if (avoid.includes(facts.name)) return 'is to be avoided';
  return facts.openUntil === undefined ? undefined : `is open-circuited until ${clockTime(facts.openUntil)}`;
}

/** The chain after the last failure, without those that have failed already. */
function chainOf({ invocation, fallback, failures }: RouteQuestion): readonly string[] {
  const last = failures.at(-1);
  if (last === undefined) return [];
  const chain = invocation.fallback?.[last.class] ?? fallback?.[last.class] ?? [];
  return chain.filter((name) => !failures.some(({ harness }) => harness === name));
}

function leastLoaded(
  matching: readonly HarnessFacts[],
  order: number,
  take: (harness: string, why: string) => Route,
): Route {
  const loadOf = ({ running, concurrency }: HarnessFacts) => (Number.isFinite(concurrency) ? running / concurrency : 0);
  const least = Math.min(...matching.map(loadOf));
  const equal = matching.filter((facts) => loadOf(facts) === least);
  const chosen = equal[order % equal.length] as HarnessFacts;
  if (matching.length === 1) return take(chosen.name, 'is the only one that matches');
  return take(
    chosen.name,
    equal.length === 1 ? 'matches, and is least loaded' : `matches, and it is its turn among ${equal.length}`,
  );
}

const clockTime = (ms: number) => `${new Date(ms).toISOString().slice(11, 19)} UTC`;

function refusal({ invocation, harnesses, member }: RouteQuestion, rejected: readonly Rejection[]): TroupeError {
  const { needs = [], harness } = invocation;
  const wants = [
    harness === undefined ? undefined : `asks for harness \`${harness}\``,
    needs.length > 0 ? `needs [${needs.join(', ')}]` : undefined,
  ].filter((text) => text !== undefined);
  const names = harnesses.map(({ name }) => name);
  const known = names.length === 0 ? 'none is declared' : `declared: ${names.join(', ')}`;
  const isUnknown = rejected.some(({ reason }) => reason === 'is not declared');
  const against =
    rejected.length === 0
      ? known
      : rejected.map((one) => `${one.harness} ${one.reason}`).join(', ') + (isUnknown ? ` (${known})` : '');
  const open = harnesses.filter(({ name }) =>
    rejected.some((one) => one.harness === name && one.reason.startsWith('is open-circuited')),
  );
  const openUntil = open.length === 0 ? {} : { openUntil: Math.min(...open.map((facts) => facts.openUntil as number)) };
  return new TroupeError(
    'NO_HARNESS',
    `member ${member} ${wants.join(' and ') || 'names no harness, needs nothing, and there is no default'}; ${against}.`,
    {
      member,
      needs,
      harness: harness ?? null,
      rejected,
      harnesses: names,
      ...openUntil,
    },
  );
}
