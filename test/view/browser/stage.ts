/** Runs to look at, and the viewer's server before them. */
import { program, project, type Project, type Running } from '../../cli/support.ts';

/** The file of the process that is looked at. */
export const steps = `
import { defineProcess } from 'troupe';
import { fanOut } from 'troupe/machines';
import { fn } from 'troupe/harness';

export const harnesses = { quick: fn(async ({ prompt }, { progress }) => { progress('looks at ' + prompt); return prompt; }) };

export default defineProcess('steps', async (ctx, input) => {
  const names = input?.names ?? ['one', 'two', 'three', 'four'];
  const first = ctx.group('first', fanOut, { members: names.map((id) => ({ id, harness: 'quick', prompt: id })), concurrency: 2, checkpointEvery: 2 });
  await first.output;
  if (input?.waits === true) {
    const { approved } = await ctx.breakpoint('go on', { question: 'Shall we?' });
    if (!approved) return 'no';
  }
  return 'done';
});
`;

/** A file that is checked: two are asked by a coordinator whose host may die once. `properties`: as source text. */
export const council = (properties: string) => `
  import { ok, outcomes, protocol } from 'troupe/check';
  import { quorum } from 'troupe/machines';
  export default protocol({
    name: 'council',
    coordinator: quorum,
    input: { members: [{ id: 'a' }, { id: 'b' }], atLeast: 2 },
    members: { '*': outcomes(ok('yes')) },
    faults: { hostCrash: 1 },
    properties: ${properties},
  });`;

/** A run that is served. */
export interface Shown {
  readonly url: string;
  readonly server: Running;
}

/** Serves it: `troupe inspect` with these arguments. */
export async function inspected(
  one: Project,
  ...given: readonly (string | { readonly env: NodeJS.ProcessEnv })[]
): Promise<Shown> {
  const args = given.filter((one) => typeof one === 'string');
  const options = given.find((one) => typeof one === 'object') ?? {};
  const server = one.spawn(process.execPath, [program, 'inspect', ...args, '--json'], options);
  const said = await server.said('"url"');
  const { url } = JSON.parse(said.split('\n').find((line) => line.includes('"url"')) ?? '{}') as {
    readonly url: string;
  };
  return { url, server };
}

/** A project in which the run `steps` has ended. */
export async function ran(input: object = {}): Promise<Project> {
  const one = project({ 'steps.process.mjs': steps });
  await one.troupe('run', 'steps.process.mjs', '--run-id', 'steps', '--input', JSON.stringify(input));
  return one;
}
