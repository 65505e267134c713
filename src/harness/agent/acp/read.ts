/** Looking into what an agent sent: nothing is believed of its shape. */
import type { JsonValue } from '../../../json.ts';

/** Any JSON object, as it came. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value as an object; an empty one when it is none. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The value as a list; an empty one when it is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value when it is a text with something in it. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The value when it is a number that can be added up: finite and not negative. */
export function amountOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** The value as JSON: everything here has passed the sieve, which lets nothing else through. Undefined and null stay absent. */
export function jsonOf(value: unknown): JsonValue | undefined {
  return value === undefined || value === null ? undefined : (value as JsonValue);
}
