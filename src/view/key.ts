/**
 * Names as keys of plain objects. Authors name groups and members as they like; a name that every object has already, or that
 * immer does not patch, stands under another key. The name itself is in the value.
 */

/** The key of a name: the name, or `~name` for `constructor`, `__proto__` and the like, and for what begins with `~`. */
export function keyFor(name: string): string {
  return name.startsWith('~') || name === 'prototype' || name in Object.prototype ? `~${name}` : name;
}

/** A key of two names, whatever stands in them: blanks, line ends. */
export const pairKey = (one: string, other: string): string => JSON.stringify([one, other]);

/** The names of a {@link pairKey}. */
export const pairOf = (key: string): readonly [string, string] => JSON.parse(key) as [string, string];
