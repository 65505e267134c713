/** The boundary at which a member's input, any JSON, becomes an {@link Invocation}. */
import { TroupeError } from '../error.ts';
import { failureClasses, isFailureClass } from '../harness/outcome.ts';
import type { Invocation, RetryPolicy } from '../harness/port.ts';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber =
  (min: number, max = Number.MAX_SAFE_INTEGER, whole = false): Check =>
  (value) =>
    typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value));

const retryFields: Readonly<Record<keyof RetryPolicy, readonly [string, Check]>> = {
  attempts: ['a whole number from 1 to 100', isNumber(1, 100, true)],
  minMs: ['a number >= 0', isNumber(0)],
  factor: ['a number >= 1', isNumber(1, 1_000)],
  maxMs: ['a number >= 0', isNumber(0)],
  jitter: ['a number from 0 to 1', isNumber(0, 1)],
  on: [`a list of ${failureClasses.join(', ')}`, (value) => Array.isArray(value) && value.every(isFailureClass)],
};

const fields: Readonly<Record<keyof Invocation, readonly [string, Check]>> = {
  harness: ['the name of a harness', isText],
  needs: ['a list of capabilities', isTexts],
  prefer: ['a list of harnesses', isTexts],
  avoid: ['a list of harnesses', isTexts],
  fallback: [
    'lists of harnesses by failure class',
    (value) =>
      isRecord(value) &&
      Object.entries(value).every(([name, list]) => failureClasses.some((one) => one === name) && isTexts(list)),
  ],
  output: ['the name of a schema', isText],
  budget: [
    '{attempts?, wallMs?, tokens?, costUsd?} of numbers >= 0',
    (value) =>
      isRecord(value) &&
      Object.entries(value).every(
        ([name, limit]) => ['attempts', 'wallMs', 'tokens', 'costUsd'].includes(name) && isNumber(0)(limit),
      ),
  ],
  expects: [
    '{tokens?, costUsd?} of numbers >= 0',
    (value) =>
      isRecord(value) &&
      Object.entries(value).every(([name, use]) => ['tokens', 'costUsd'].includes(name) && isNumber(0)(use)),
  ],
  prompt: ['a text', isText],
  command: [
    'a non-empty list of texts: the program and its arguments',
    (value) => isTexts(value) && (value as readonly string[]).length > 0 && (value as readonly string[])[0] !== '',
  ],
  stdin: ['a text', isText],
  env: ['an object of texts', (value) => isRecord(value) && Object.values(value).every(isText)],
  cwd: ['a folder', isText],
  isolation: ["'worktree'", (value) => value === 'worktree'],
  worktree: [
    "{keep?: 'always' | 'changed' | 'never', base?: text}",
    (value) =>
      isRecord(value) &&
      Object.entries(value).every(([name, one]) =>
        name === 'keep'
          ? ['always', 'changed', 'never'].includes(one as string)
          : name === 'base' && isText(one) && one !== '',
      ),
  ],
  success: [
    '{exitCodes?: number[], stdoutMatches?: string}',
    (value) =>
      isRecord(value) &&
      (value['exitCodes'] === undefined ||
        (Array.isArray(value['exitCodes']) && value['exitCodes'].every(isNumber(0, 255, true)))) &&
      (value['stdoutMatches'] === undefined || isText(value['stdoutMatches'])),
  ],
  input: ['JSON', () => true],
  timeoutMs: ['a number >= 1', isNumber(1)],
  retry: ['{attempts?, minMs?, factor?, maxMs?, jitter?, on?}', isRecord],
  restartable: ['true or false', (value) => typeof value === 'boolean'],
  background: ['true or false', (value) => typeof value === 'boolean'],
};

const show = (value: unknown) => `\`${(JSON.stringify(value) ?? String(value)).slice(0, 80)}\` (${typeof value})`;

function checkFields(
  value: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, readonly [string, Check]>>,
  where: string,
): void {
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined) continue;
    const rule = Object.hasOwn(known, name) ? known[name] : undefined;
    if (rule === undefined) {
      throw new TroupeError(
        'BAD_INPUT',
        `${where} has an unknown field \`${name}\`; known: ${Object.keys(known).join(', ')}.`,
      );
    }
    if (!rule[1](field))
      throw new TroupeError('BAD_INPUT', `${where}: expected \`${name}\` to be ${rule[0]}, got ${show(field)}.`);
  }
}

/** What `value` asks for. BAD_INPUT names the member and the field that is wrong. */
export function parseInvocation(value: unknown, member: string): Invocation {
  const where = `the input of member \`${member}\``;
  if (!isRecord(value)) {
    throw new TroupeError(
      'BAD_INPUT',
      `${where}: expected an invocation like {command: [...]} or {prompt: '...'}, got ${show(value)}.`,
    );
  }
  checkFields(value, fields, where);
  if (value['retry'] !== undefined)
    checkFields(value['retry'] as Readonly<Record<string, unknown>>, retryFields, `${where}, retry`);
  // Each field has just been checked.
  return value as Invocation;
}
