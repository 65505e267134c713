/** What a checkpoint, a question, an event, a reason and a note have to hold: else nobody could read them, or answer. */
import { TroupeError } from '../error.ts';
import { hasHalfCharacter } from './address.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Refuses a checkpoint without a name or its two numbers. Codes: BAD_INPUT. */
export function refuseMark(mark: unknown, where: string): void {
  const { name, settled, total } = fieldsOf(mark);
  if (isName(name) && typeof settled === 'number' && typeof total === 'number') return;
  refuse(where, '{ name, settled, total }, a text that is not empty and two numbers', mark);
}

/** Refuses a question that has no name to be answered by, or nothing to be asked. Codes: BAD_INPUT. */
export function refuseQuestion(gate: unknown, where: string): void {
  const { name, question } = fieldsOf(gate);
  if (isName(name) && typeof question === 'string') return;
  refuse(where, '{ name, question }, two texts of which the name is not empty', gate);
}

/** Refuses a question that could not be answered, because it has no name. Codes: BAD_INPUT. */
export function refuseNameless(gate: unknown, where: string): void {
  if (!isName(fieldsOf(gate).name)) refuse(where, 'a `name` that is a text and not empty', gate);
}

/** Refuses what should be said in words and is not, such as an error as the reason: it would be read as another thing than was said. Codes: BAD_INPUT. */
export function refuseNoText(said: unknown, what: string): void {
  if (typeof said === 'string') return;
  const got = said === null ? 'null' : typeof said;
  const hint = said instanceof Error ? ' (its `message` is one)' : '';
  throw new TroupeError('BAD_INPUT', `${what}: expected a text, got ${got}${hint}.`);
}

/** Refuses what should be said by true or false and is not: the text `no` would count as true. Codes: BAD_INPUT. */
export function refuseNoYesOrNo(said: unknown, what: string): void {
  if (typeof said !== 'boolean')
    throw new TroupeError('BAD_INPUT', `${what}: expected true or false, got ${said === null ? 'null' : typeof said}.`);
}

/** Refuses what should be an object with `fields` and is none: in JavaScript it may be anything, or left out. Codes: BAD_INPUT. */
export function refuseNoFields(given: unknown, what: string, fields: string): void {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return;
  const got = given === null ? 'null' : Array.isArray(given) ? 'a list' : typeof given;
  throw new TroupeError('BAD_INPUT', `${what}: expected an object ${fields}, got ${got}.`);
}

/** Refuses an event without a type. Codes: BAD_INPUT. */
export function refuseNoEvent(event: unknown, where: string): void {
  if (typeof fieldsOf(event)['type'] === 'string') return;
  throw new TroupeError(
    'BAD_INPUT',
    `${where}: expected an event with a text as \`type\`, got ${shown(event).slice(0, 80)}.`,
  );
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && name !== '' && !hasHalfCharacter(name);
}

function refuse(where: string, expected: string, value: unknown): never {
  // Only these fields: what else it holds need not be JSON.
  const { name, settled, total, question } = fieldsOf(value);
  const got = typeof value === 'object' && value !== null ? { name, settled, total, question } : value;
  throw new TroupeError('BAD_INPUT', `${where}: expected ${expected}, got \`${shown(got).slice(0, 120)}\`.`);
}

function shown(value: unknown): string {
  return typeof value === 'bigint' ? String(value) : (JSON.stringify(value, plain) ?? String(value));
}

/** A field that is no text or number is told by its type. */
function plain(key: string, value: unknown): unknown {
  if (key === '' || ['boolean', 'number', 'string', 'undefined'].includes(typeof value)) return value;
  return value === null ? null : `(${typeof value})`;
}
