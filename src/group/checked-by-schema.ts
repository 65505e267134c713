/** Outputs that must meet a schema of the run: asked for before anything is spent, held against it when they come. */
import { TroupeError } from '../error.ts';
import { plainError } from '../harness/plain-error.ts';
import type { Invocation, Outcome } from '../harness/port.ts';
import { checkedOutcome } from './checked-outcome.ts';
import { checkOutput, type OutputSchema } from './schema.ts';

type Schemas = Readonly<Record<string, OutputSchema>>;
type Success = Extract<Outcome, { readonly status: 'ok' }>;

interface Asking {
  readonly address: string;
  readonly input: Pick<Invocation, 'output'>;
}

/** Refuses an invocation whose schema the run does not have. Codes: BAD_INPUT. */
export function refuseUnknownSchema(schemas: Schemas, { address, input: { output } }: Asking): void {
  if (output === undefined || Object.hasOwn(schemas, output)) return;
  const known = Object.keys(schemas).join(', ') || 'none';
  throw new TroupeError(
    'BAD_INPUT',
    `member \`${address}\`: expected \`output\` to name a schema of the run (${known}), got \`${output}\`.`,
  );
}

/** The outcome that a success comes to under the schema it must meet; undefined when it must meet none. */
export function checkedBySchema(
  schemas: Schemas,
  { address, input }: Asking,
  outcome: Success,
  bytesMax: number,
): Promise<Outcome> | undefined {
  const schema = schemas[input.output ?? ''];
  if (input.output === undefined || schema === undefined) return undefined;
  return checkOutput(schema, outcome.output, `output of member \`${address}\``).then((checked) => {
    // A schema may have made something larger of it.
    if ('output' in checked) return checkedOutcome({ ...outcome, output: checked.output }, address, bytesMax);
    // Schemas quote what they were given: of any length it would be an entry that no journal takes.
    const { message } = plainError(checked.problem);
    const error = { name: 'InvalidOutput', code: 'SCHEMA', message };
    return { status: 'error', class: 'invalid-output', error };
  });
}
