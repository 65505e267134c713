/** What a checkpoint, a question, a reason and a note have to hold: else nobody could read them, or answer. */
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
  const text = typeof got === 'bigint' ? String(got) : (JSON.stringify(got, plain) ?? String(got));
  throw new TroupeError('BAD_INPUT', `${where}: expected ${expected}, got \`${text.slice(0, 120)}\`.`);
}

/** A field that is no text or number is told by its type. */
function plain(key: string, value: unknown): unknown {
  if (key === '' || ['boolean', 'number', 'string', 'undefined'].includes(typeof value)) return value;
  return value === null ? null : `(${typeof value})`;
}
