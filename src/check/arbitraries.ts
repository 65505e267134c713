/** Arbitraries of fast-check. The caller hands fast-check over, so that nobody else needs to have it. */
/** @ts-ignore: these types are read without skipLibCheck, too, in projects that have no fast-check and never call this. */
import type * as FastCheck from 'fast-check';
import { TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import type { Entry } from '../journal/port.ts';
import type { Model } from './checkable.ts';
import type { Faults } from './group/options.ts';
import { journalOf } from './journal-of.ts';
import type { Protocol } from './protocol.ts';
import { scheduleArbitrary } from './schedule/arbitrary.ts';
import type { Schedule } from './schedule/schedule.ts';

/** What values look like: the part of JSON Schema that is enough for inputs. */
export interface InputSchema {
  readonly type?: 'array' | 'boolean' | 'integer' | 'null' | 'number' | 'object' | 'string';
  readonly const?: JsonValue;
  readonly enum?: readonly JsonValue[];
  readonly anyOf?: readonly InputSchema[];
  readonly properties?: { readonly [name: string]: InputSchema };
  /** Properties that are always there. */
  readonly required?: readonly string[];
  readonly items?: InputSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** No two items are the same. */
  readonly uniqueItems?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  /** A regular expression. */
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A journal that a host could have written. */
export interface RecordedSchedule {
  readonly schedule: Schedule;
  /** Its entries, of all streams, in journal order. Codes: as `writeCounterexample`. */
  entries(): Promise<readonly Entry[]>;
}

/** Arbitraries over one copy of fast-check. */
export interface Arbitraries {
  /** Schedules of a model, at most `eventsMax` events long (default 100). They shrink by leaving out events together with what those caused. */
  schedules<State>(model: Model<State>, options?: { readonly eventsMax?: number }): FastCheck.Arbitrary<Schedule>;
  /** Journals of a protocol's coordinator: what a host writes on such a schedule. They shrink as schedules do. */
  journals<Context, Output>(
    protocol: Protocol<Context, Output>,
    options?: { readonly eventsMax?: number },
  ): FastCheck.Arbitrary<RecordedSchedule>;
  /** Inputs that look as the schema says. Codes: BAD_INPUT for one that says nothing. */
  inputs(schema: InputSchema): FastCheck.Arbitrary<JsonValue>;
  /** Budgets of faults for `protocol`, each at most `each` (default 1). They shrink to none. */
  faults(options?: { readonly each?: number }): FastCheck.Arbitrary<Faults>;
}

const faultNames = ['hostCrash', 'memberCrash', 'duplicate', 'drop', 'late'] as const;

/** The arbitraries of the check kit: `arbitraries(fc).schedules(model)`. */
export function arbitraries(fc: typeof FastCheck): Arbitraries {
  const schedules = <State>(model: Model<State>, { eventsMax = 100 }: { readonly eventsMax?: number } = {}) =>
    scheduleArbitrary(fc, model as unknown as Model<never>, eventsMax);
  return {
    schedules,
    journals: (protocol, options) =>
      schedules(protocol, options).map(
        (schedule): RecordedSchedule => ({ schedule, entries: () => journalOf(protocol, schedule) }),
        // So that it shrinks from a value of the user's, too.
        (value) => (value as RecordedSchedule).schedule,
      ),
    inputs: (schema) => inputArbitrary(fc, schema, 'schema'),
    faults: ({ each = 1 } = {}) =>
      fc.record(Object.fromEntries(faultNames.map((name) => [name, fc.integer({ min: 0, max: each })]))),
  };
}

function inputArbitrary(fc: typeof FastCheck, schema: InputSchema, at: string): FastCheck.Arbitrary<JsonValue> {
  const given = Object.entries(schema).filter(([, value]) => value !== undefined);
  const bounds = (...names: readonly (readonly [keyof InputSchema, string])[]) =>
    Object.fromEntries(names.flatMap(([name, option]) => (schema[name] === undefined ? [] : [[option, schema[name]]])));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined)
    return fc.oneof(...schema.anyOf.map((one, index) => inputArbitrary(fc, one, `${at}.anyOf[${index}]`)));
  switch (schema.type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer(integerBounds(schema));
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true, ...bounds(['minimum', 'min'], ['maximum', 'max']) });
    case 'string':
      return schema.pattern === undefined
        ? fc.string(bounds(['minLength', 'minLength'], ['maxLength', 'maxLength']))
        : fc
            .stringMatching(new RegExp(schema.pattern))
            .filter((text) => text.length >= (schema.minLength ?? 0) && text.length <= (schema.maxLength ?? Infinity));
    case 'array': {
      const item = schema.items === undefined ? anything(fc) : inputArbitrary(fc, schema.items, `${at}.items`);
      const length = bounds(['minItems', 'minLength'], ['maxItems', 'maxLength']);
      return schema.uniqueItems === true
        ? fc.uniqueArray(item, { ...length, selector: (one) => JSON.stringify(one) })
        : fc.array(item, length);
    }
    case 'object': {
      const properties = Object.entries(schema.properties ?? {}).map(
        ([name, one]) => [name, inputArbitrary(fc, one, `${at}.properties.${name}`)] as const,
      );
      const requiredKeys = [...new Set(schema.required ?? [])];
      // What is always there, and of which nothing is said, is anything.
      const others = requiredKeys
        .filter((name) => !Object.hasOwn(schema.properties ?? {}, name))
        .map((name) => [name, anything(fc)] as const);
      return fc.record(Object.fromEntries([...properties, ...others]), {
        requiredKeys,
      }) as FastCheck.Arbitrary<JsonValue>;
    }
    default:
      if (given.length === 0) return anything(fc);
      throw new TroupeError(
        'BAD_INPUT',
        `inputs: expected ${at} to have \`type\`, \`const\`, \`enum\` or \`anyOf\`, got ${JSON.stringify(schema)}`,
      );
  }
}

/** Where one bound lies beyond what is drawn without bounds, all numbers on its side are drawn. */
function integerBounds({ minimum, maximum }: InputSchema): { readonly min: number; readonly max: number } {
  const least = -(2 ** 31);
  const most = 2 ** 31 - 1;
  return {
    min: Math.ceil(minimum ?? ((maximum ?? most) < least ? Number.MIN_SAFE_INTEGER : least)),
    max: Math.floor(maximum ?? ((minimum ?? least) > most ? Number.MAX_SAFE_INTEGER : most)),
  };
}

function anything(fc: typeof FastCheck): FastCheck.Arbitrary<JsonValue> {
  return fc.jsonValue() as FastCheck.Arbitrary<JsonValue>;
}
