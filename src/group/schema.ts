/** Checking outputs by any Standard Schema (standardschema.dev, version 1): zod, valibot, arktype and others speak it. */
import { plainError } from '../harness/plain-error.ts';
import { toJson, type JsonValue } from '../json.ts';

/** What of a Standard Schema is used here. */
export interface OutputSchema {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
  };
}

type SchemaResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/** The output as the schema lets it through, or what is wrong with it. */
export type Checked = { readonly output: JsonValue } | { readonly problem: string };

/** Checks an output. A schema that throws is a problem too; it never throws here. */
export async function checkOutput(schema: OutputSchema, output: JsonValue, label: string): Promise<Checked> {
  try {
    const result = await schema['~standard'].validate(output);
    if (result.issues === undefined) return { output: toJson(result.value ?? null, label) };
    const told = result.issues.slice(0, 5).map(({ message, path = [] }) => {
      const where = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
      return where === '' ? message : `${where}: ${message}`;
    });
    const more = result.issues.length > told.length ? ` (and ${result.issues.length - told.length} more)` : '';
    return { problem: `${label} does not meet its schema: ${told.join('; ')}${more}` };
  } catch (error) {
    return { problem: `${label} could not be checked: ${plainError(error).message}` };
  }
}
