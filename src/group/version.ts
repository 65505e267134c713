import type { AnyStateMachine } from 'xstate';
import { hashText, hashToText } from './digest.ts';
import { isMachine, isMember } from './kind.ts';

/**
 * Names what a machine does: a hash of its definition and of the source text of its guards, assigns and delays,
 * of its registered actors too. Comments and white space do not count. Two builds of one source may differ.
 */
export function versionOf(machine: AnyStateMachine): string {
  return hashToText(hashText(textOf(machine, new Map())));
}

/** Names what a function says: a hash of its source text without comments and white space. What it calls does not count. */
export function versionOfFunction(run: (...args: never) => unknown): string {
  return hashToText(hashText(bare(String(run))));
}

/** XState's own parts of its actions and guards, which differ between its builds. */
const engineParts = new Set(['resolve', 'retryResolve', 'execute', 'check']);

function textOf(value: unknown, seen: Map<object, number>): string {
  if (typeof value !== 'function' && (typeof value !== 'object' || value === null))
    return typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value));
  const before = seen.get(value);
  if (before !== undefined) return `#${before}`;
  seen.set(value, seen.size);
  if (isMember(value)) return 'member';
  if (isMachine(value)) {
    // Schemas only give types, and their own insides change as they are used.
    const config = 'schemas' in value.config ? { ...value.config, schemas: undefined } : value.config;
    return `machine${textOf({ config, implementations: value.implementations }, seen)}`;
  }
  const own = (keys: readonly string[]) =>
    keys
      .map((key) => `${JSON.stringify(key)}:${textOf((value as unknown as Record<string, unknown>)[key], seen)}`)
      .join(',');
  if (typeof value === 'function') {
    const isEngines = 'resolve' in value || 'check' in value;
    const parts = own(Object.keys(value).filter((key) => !engineParts.has(key)));
    return `function(${isEngines ? '' : JSON.stringify(bare(String(value)))}){${parts}}`;
  }
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item, seen)).join(',')}]`;
  return `{${own(Object.keys(value))}}`;
}

function bare(source: string): string {
  return source.replaceAll(/\/\*[^]*?\*\/|(?<=[\s;{})])\/\/[^\n]*/g, '').replaceAll(/\s+/g, '');
}
