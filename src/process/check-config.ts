/** The boundary at which a configuration, any value, becomes a {@link Config}. */
import { TroupeError, type Code } from '../error.ts';
import { defaultBounds } from '../group/bounds.ts';
import type { HostRules } from '../group/host-options.ts';
import { nearest } from '../nearest.ts';
import type { Config } from './config.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Refuses what is wrong with a field. */
type Check = (value: unknown, field: string, refuse: Refuse) => void;
/** Is told what is wrong, without a full stop, and throws. */
type Refuse = (what: string) => never;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const show = (value: unknown) => {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'number') return `\`${value}\``;
  try {
    return `\`${(JSON.stringify(value) ?? String(value)).slice(0, 80)}\``;
  } catch {
    // It contains itself, or a bigint.
    return typeof value === 'object' ? 'an object that is no JSON' : `a ${typeof value}`;
  }
};

const expected = (what: string, is: (value: unknown) => boolean): Check => {
  return (value, field, refuse) => {
    if (!is(value)) refuse(`expected \`${field}\` to be ${what}, got ${show(value)}`);
  };
};
const text = expected('a text that is not empty', (value) => typeof value === 'string' && value !== '');
const number = (what: string, min: number, max = Number.MAX_VALUE) =>
  expected(what, (value) => typeof value === 'number' && value >= min && value <= max);
const whole = (min: number) =>
  expected(`a whole number >= ${min}`, (value) => Number.isInteger(value) && (value as number) >= min);
const texts = expected(
  'a list of texts',
  (value) => Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== ''),
);

const fields = (known: Readonly<Record<string, Check>>): Check => {
  return (value, field, refuse) => {
    const names = Object.keys(known);
    if (!isFields(value))
      return refuse(`expected \`${field}\` to be an object of ${names.join(', ')}, got ${show(value)}`);
    for (const [name, one] of Object.entries(value)) {
      const check = Object.hasOwn(known, name) ? known[name] : undefined;
      if (check === undefined) return refuse(unknownField(field, name, names));
      if (one !== undefined) check(one, field === '' ? name : `${field}.${name}`, refuse);
    }
  };
};
const each = (check: Check, what: string): Check => {
  return (value, field, refuse) => {
    if (!isFields(value)) return refuse(`expected \`${field}\` to be an object of ${what}, got ${show(value)}`);
    for (const [name, one] of Object.entries(value)) check(one, `${field}.${name}`, refuse);
  };
};

function unknownField(field: string, name: string, names: readonly string[]): string {
  const near = nearest(name, names)[0];
  const where = field === '' ? '' : ` in \`${field}\``;
  return `unknown field \`${name}\`${where}; ${near === undefined ? `known: ${names.join(', ')}` : `did you mean \`${near}\`?`}`;
}

const harness = expected(
  'a harness (cli(…), acp(…), command(…), fn(…))',
  (value) => isFields(value) && typeof value['perform'] === 'function',
);
const harnesses = each(harness, 'harnesses by name');
const orEndless = (check: Check): Check => {
  return (value, field, refuse) => {
    if (value !== Number.POSITIVE_INFINITY) check(value, field, refuse);
  };
};
const budget = fields({
  attempts: orEndless(whole(0)),
  wallMs: orEndless(number('a number of milliseconds >= 0', 0)),
  tokens: orEndless(number('a number >= 0', 0)),
  costUsd: orEndless(number('a number >= 0', 0)),
  members: orEndless(whole(0)),
  depth: orEndless(whole(1)),
  expects: fields({ tokens: number('a number >= 0', 0), costUsd: number('a number >= 0', 0) }),
  warnAt: number('a number from 0 to 1', 0, 1),
  over: expected('ask, fail or stop', (value) => ['ask', 'fail', 'stop'].includes(value as string)),
});
const fallback = fields({
  'auth': texts,
  'crashed': texts,
  'failed': texts,
  'invalid-output': texts,
  'overloaded': texts,
  'rate-limited': texts,
  'refused': texts,
  'timeout': texts,
});
const breaker = fields({ trips: whole(1), openMs: whole(1), openMsMax: whole(1) });
const limits = fields({
  concurrency: whole(1),
  snapshotEvery: whole(1),
  payloadBytesMax: whole(1),
  inboxMax: whole(1),
  mailboxMax: whole(1),
  messagesPerMinuteMax: whole(1),
  progressEveryMs: number('a number of milliseconds >= 0', 0),
  interruptionsMax: whole(0),
  groupsMax: whole(1),
});
const schema = expected(
  'a Standard Schema (zod, valibot, arktype …)',
  (value) => ((typeof value === 'object' && value !== null) || typeof value === 'function') && '~standard' in value,
);

const schemas = each(schema, 'Standard Schemas by name');

const whatever: Check = fields({
  harnesses,
  route: fields({ default: text, fallback }),
  budget,
  breaker,
  schemas,
  limits,
  capabilities: each(texts, 'lists of texts by harness'),
});

/** Throws one sentence under `code`; `where` begins it. */
export function refuseWith(code: Code, where: string): Refuse {
  return (what) => {
    throw new TroupeError(code, `${where}: ${what}${what.endsWith('?') ? '' : '.'}`);
  };
}

/** `value` as a configuration. `where` begins the sentence: the file. Codes: CONFIG_INVALID. */
export function checkConfig(value: unknown, where: string): Config {
  const refuse: Refuse = refuseWith('CONFIG_INVALID', where);
  if (!isFields(value))
    refuse(`expected a configuration, defineConfig({ harnesses, route, budget, … }), got ${show(value)}`);
  whatever(value, '', refuse);
  // Each field has just been checked.
  return value as Config;
}

/** What each of a host's rules may be. */
const rules: Readonly<Record<keyof HostRules, Check>> = { budget, breaker, fallback, schemas };

/** Refuses what is wrong with a host's rules; `at` stands before the name of each, such as `rules.`. */
export function checkRules(given: Partial<Record<keyof HostRules, unknown>>, at: string, refuse: Refuse): void {
  for (const [name, check] of Object.entries(rules)) {
    const value = given[name as keyof HostRules];
    if (value !== undefined) check(value, `${at}${name}`, refuse);
  }
}

const store = expected(
  'a store of journals (fileStore(…), memoryStore())',
  (value) => isFields(value) && typeof value['open'] === 'function',
);

/** Refuses to look for a run without a store, or without these texts; `what` begins the sentence. Codes: BAD_INPUT. */
export function checkWhere(what: string, given: unknown, texts: readonly string[]): void {
  const refuse: Refuse = refuseWith('BAD_INPUT', what);
  if (!isFields(given)) return refuse(`expected its options to be an object, got ${show(given)}`);
  store(given['store'], 'store', refuse);
  for (const name of texts) expected('a text', (value) => typeof value === 'string')(given[name], name, refuse);
}

/** Refuses what is no list of settlements. Codes: BAD_INPUT. */
export function checkSettlements(given: unknown): void {
  const refuse: Refuse = refuseWith('BAD_INPUT', 'iterate');
  if (!Array.isArray(given)) return refuse(`expected \`settlements\` to be a list, got ${show(given)}`);
  const isSettlement = (value: unknown) =>
    isFields(value) && typeof value['group'] === 'string' && typeof value['member'] === 'string';
  for (const [index, one] of given.entries())
    expected('an object { group, member, outcome }', isSettlement)(one, `settlements[${index}]`, refuse);
}

/** What a run cannot be opened without. */
const parts: Readonly<Record<'harnesses' | 'process' | 'store', Check>> = {
  store,
  process: expected(
    'a process, defineProcess(name, fn)',
    (value) => isFields(value) && typeof value['name'] === 'string' && typeof value['run'] === 'function',
  ),
  harnesses,
};

/** Refuses to open a run without its parts, or with others in their place. */
export function checkParts(given: unknown, refuse: Refuse): void {
  if (!isFields(given)) return refuse(`expected its options to be an object, got ${show(given)}`);
  for (const [name, check] of Object.entries(parts)) check(given[name], name, refuse);
}

const openOptions = fields({
  concurrency: expected('a number >= 1', (value) => (value as number) >= 1),
  // Each bound is checked where it is taken.
  bounds: fields(Object.fromEntries(Object.keys(defaultBounds).map((name) => [name, () => {}]))),
  budget,
  onReturn: expected('cancel or wait', (value) => value === 'cancel' || value === 'wait'),
});

/** Refuses what is wrong with the options of a group. Codes: BAD_INPUT. */
export function checkOptions(group: string, options: unknown): void {
  const refuse: Refuse = refuseWith('BAD_INPUT', `group \`${group}\``);
  if (!isFields(options)) refuse(`expected its options to be an object, got ${show(options)}`);
  openOptions(options, '', refuse);
}
