/**
 * What makes no sense in the options of a model or a check is refused where it is given. A name that is none, in a file that no
 * compiler has read, would be left out in silence, and the rest verified.
 */
import { TroupeError } from '../error.ts';
import type { Properties } from './checkable.ts';

/** Only these names are known. Code: BAD_INPUT. */
export function refuseNames(where: string, given: object | undefined, known: readonly string[]): void {
  const other = Object.keys(given ?? {}).find((name) => !known.includes(name));
  if (other !== undefined)
    throw new TroupeError('BAD_INPUT', `${where}: there is no \`${other}\`; there are ${known.join(', ')}`);
}

/** Only these values are known; undefined is the default. Code: BAD_INPUT. */
export function refuseOthers(where: string, given: unknown, known: readonly unknown[]): void {
  if (given === undefined || known.includes(given)) return;
  throw new TroupeError(
    'BAD_INPUT',
    `${where}: expected ${known.map((one) => JSON.stringify(one)).join(' or ')}, got ${JSON.stringify(given)}`,
  );
}

/** How often something may be: a whole number of at least `least`; undefined is the default. Code: BAD_INPUT. */
export function refuseCount(where: string, given: number | undefined, least: number): void {
  if (given === undefined || (Number.isInteger(given) && given >= least)) return;
  throw new TroupeError('BAD_INPUT', `${where}: expected a whole number >= ${least}, got ${String(given)}`);
}

/** Properties are predicates, in the four kinds that there are. Code: BAD_INPUT. */
export function refuseProperties(where: string, properties: Properties<never> | undefined): void {
  refuseNames(`${where}.properties`, properties, ['always', 'sometimes', 'eventually', 'canAlways']);
  for (const [kind, predicates] of Object.entries(properties ?? {}))
    refusePredicates(`${where}.properties.${kind}`, predicates);
}

/** Functions that say true or false, by name. Code: BAD_INPUT. */
export function refusePredicates(where: string, predicates: object | undefined): void {
  for (const [name, holds] of Object.entries(predicates ?? {}))
    if (typeof holds !== 'function')
      throw new TroupeError('BAD_INPUT', `${where}.${name}: expected a function of a state, got ${typeof holds}`);
}
