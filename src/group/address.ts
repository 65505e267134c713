import type { ActorKey, Address } from './effect.ts';

/** Stands between the ids of an address. */
export const addressSeparator = '::';

/** The coordinator of a group. */
export const rootAddress: Address = '';

/** Where the child `id` of the actor at `parent` lives. */
export function childAddress(parent: Address, id: string): Address {
  return parent === rootAddress ? id : parent + addressSeparator + id;
}

/** Where the parent of a child lives; undefined for the coordinator. */
export function parentAddress(address: Address): Address | undefined {
  if (address === rootAddress) return undefined;
  const end = address.lastIndexOf(addressSeparator);
  return end === -1 ? rootAddress : address.slice(0, end);
}

/** The last id of an address. */
export function lastId(address: Address): string {
  const end = address.lastIndexOf(addressSeparator);
  return end === -1 ? address : address.slice(end + addressSeparator.length);
}

/** True where a surrogate stands alone: UTF-8 has no bytes for it, so no file and no program could be told of the name. */
export function hasHalfCharacter(name: string): boolean {
  return /\p{Surrogate}/u.test(name);
}

/** Why `id` cannot be part of an address; undefined when it can. */
export function flawOfId(id: unknown): string | undefined {
  if (typeof id !== 'string') return id === undefined ? 'no id' : `an id that is a ${typeof id}`;
  if (id === '') return 'an empty id';
  if (hasHalfCharacter(id)) return 'an id with half a character in it (a lone surrogate)';
  // A single colon at either end would make the joined address ambiguous: `a:` and `b` against `a` and `:b`.
  if (id.includes(addressSeparator) || id.startsWith(':') || id.endsWith(':')) {
    return `the id \`${id}\`: ids neither contain \`${addressSeparator}\` nor begin or end with a colon`;
  }
  return undefined;
}

/** A name as one part of a path of names: its own slashes are written `%2F`, and `%` is written `%25`. */
export function pathPart(name: string): string {
  return name.includes('/') || name.includes('%') ? name.replaceAll('%', '%25').replaceAll('/', '%2F') : name;
}

/** What the coordinator is called where people and members read: its address is the empty one. */
export const coordinatorName = 'coordinator';

/** Names that messages know besides those of members: no child of the coordinator may have one of them. */
export const othersNames: ReadonlySet<string> = new Set([coordinatorName, 'process', 'outside', '*']);

/** The newest keys as texts: one is asked for several times with each message. */
const keyTexts = new Map<Address, { readonly incarnation: number; readonly text: string }>();
const keyTextsMax = 10_000;

/** An incarnation as a key of tables. */
export function actorKeyText({ address, incarnation }: ActorKey): string {
  const known = keyTexts.get(address);
  if (known?.incarnation === incarnation) return known.text;
  const text = `${address}#${incarnation}`;
  if (keyTexts.size >= keyTextsMax) keyTexts.clear();
  keyTexts.set(address, { incarnation, text });
  return text;
}

/** How many actors stand on the way to an address, itself included: 1 for the coordinator. */
export function depthOf(address: Address): number {
  return address === rootAddress ? 1 : 1 + address.split(addressSeparator).length;
}
