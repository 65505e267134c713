/** What the stock SDK corrupts a run with, driven by ours: avoided, or refused with the run as it was. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEvents } from 'troupe/babysitter';
import { patience } from '../cli/support.ts';
import { projectWith, type Project } from './project.ts';
import { isSdkInstalled } from './sdk/install.ts';

/** A process of commands that print a word; `body` is the function's. */
const processOf = (body: string, more = '') => `
import { group } from 'troupe/babysitter';
import { fanOut } from 'troupe/machines';
${more}
const say = { id: 'say', build: ({ word, s = 0 }) => ({ kind: 'shell', title: word, shell: { command: 'sleep ' + s + '; echo ' + word + ' >> ran.log; echo ' + word } }) };
const node = (entry) => ({ id: 'node', build: () => ({ kind: 'node', node: { entry }, io: { outputJsonPath: 'out.json' } }) });
export async function process(inputs, ctx) {
  const word = async (word, s) => (await ctx.task(say, { word, s })).stdout.trim();
  ${body}
}
`;

async function babysat(process: string, prepare: (project: Project) => void = () => {}) {
  const project = projectWith(process);
  prepare(project);
  const runDir = await project.create('run-1');
  const { code, stdout, stderr } = await project.troupe(['babysit', runDir, '--json']);
  const end = stdout === '' ? {} : (JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>);
  return { project, runDir, code, end, stderr, types: readEvents(runDir, { verify: true }).map(({ type }) => type) };
}

describe.skipIf(!isSdkInstalled)('with the stock SDK from npm', { timeout: 60_000 }, () => {
  test('branches that go on unevenly would swap results: refused, and nothing is recorded of it', async () => {
    const { code, stderr, types, runDir, project } = await babysat(
      processOf(`return await ctx.parallel.all([
        async () => [await word('1A', 0), await word('1B', 0)],
        async () => [await word('2A', 1), await word('2B', 0)],
      ]);`),
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/branch 1 of 2 of parallel\.all asks for a second effect.*The run is as it was/);
    expect(types).not.toContain('RUN_FAILED');
    expect(types).not.toContain('RUN_COMPLETED');
    // Not held up by the pass that never ended.
    expect((await project.stock('run:status', runDir, '--json')).code).toBe(0);
    expect((await project.troupe(['babysit', runDir])).stderr).toMatch(/asks for a second effect/);
  });

  test('the last branch may go on, and branches of branches that are one effect each', async () => {
    const { end } = await babysat(
      processOf(`return await ctx.parallel.all([
        () => ctx.parallel.map(['a', 'b'], (one) => word(one, 0)),
        async () => [await word('c', 0), await word('d', 0)],
      ]);`),
    );
    expect(end).toEqual({
      status: 'completed',
      output: [
        ['a', 'b'],
        ['c', 'd'],
      ],
    });
  });

  test('items in another order would be given each other’s results: refused', async () => {
    const { code, stderr } = await babysat(
      processOf(
        `pass += 1;
      const items = pass === 1 ? ['x', 'y'] : ['y', 'x'];
      return await ctx.parallel.map(items, (one) => word(one, 0));`,
        'let pass = 0;',
      ),
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/task `say` is asked for with \{.*"y"\} where it was asked for with \{.*"x"\} before/);
  });

  test('groups keep their results in any order and at any place', async () => {
    const { end, project } = await babysat(
      processOf(
        `pass += 1;
      const names = pass % 2 === 1 ? ['a', 'b', 'c'] : ['c', 'a', 'b'];
      const results = await ctx.parallel.map(names, (name) => group(ctx, name, fanOut, { members: [{ id: name, command: ['sh', '-c', 'echo ' + name + ' >> ran.log'] }] }));
      return names.map((name, index) => name + ' ' + results[index].results.map(({ id }) => id)).sort();`,
        'let pass = 0;',
      ),
    );
    expect(end).toEqual({ status: 'completed', output: ['a a', 'b b', 'c c'] });
    expect(project.ran().toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('a group that has ended with another input than it is passed now: refused, and the run goes on when that is mended', async () => {
    const process = (n: string) =>
      processOf(
        `return (await group(ctx, 'g', fanOut, { members: [{ id: 'a', command: ['sh', '-c', 'echo a >> ran.log'] }], n: ${n} })).settled;`,
        'let pass = 0;',
      );
    const { project, runDir, code, stderr, types } = await babysat(process('(pass += 1)'));
    expect(stderr).toMatch(/^GROUP_MISMATCH: group `g` .* has ended with another input/);
    expect(code).toBe(5);
    expect(types.at(-1)).toBe('EFFECT_RESOLVED');
    writeFileSync(join(project.folder, 'process.mjs'), process('1'));
    const { stdout } = await project.troupe(['babysit', runDir, '--json']);
    expect(JSON.parse(stdout)).toEqual({ status: 'completed', output: 1 });
    expect(project.ran()).toEqual(['a']);
  });

  test('a process that swallows what ends its pass still waits for its effects', async () => {
    const { end, types } = await babysat(
      processOf(`return await ctx.parallel.map(['a', 'b'], async (one) => {
        try { return await word(one, 0); } catch (error) { return 'caught'; }
      });`),
    );
    expect(end).toEqual({ status: 'completed', output: ['a', 'b'] });
    expect(types.filter((type) => type === 'RUN_COMPLETED')).toHaveLength(1);
  });

  test('what is done instead, or again, is not asked for before it is known that the first has failed', async () => {
    const { end, project } = await babysat(
      processOf(`
        let how = 'not instead';
        try { await group(ctx, 'good', fanOut, { members: [{ id: 'a', command: ['true'] }] }); }
        catch (error) { how = await word('instead', 0); }
        const failing = { members: [{ id: 'no', command: ['false'] }], policy: 'fail-fast' };
        try { await group(ctx, 'bad', fanOut, failing); }
        catch (error) { how += ', ' + await word('fallback', 0); }
        for (let n = 1; n < 4; n += 1) {
          try { return [how, await ctx.task({ id: 'try', build: () => ({ kind: 'node', node: { entry: 'try.mjs', args: [String(n)] } }) }, { n })]; }
          catch (error) { how += ', ' + error.name; }
        }`),
      ({ folder }) =>
        writeFileSync(
          join(folder, 'try.mjs'),
          `import { appendFileSync } from 'node:fs';
          appendFileSync('ran.log', 'try ' + process.argv[2] + '\\n');
          if (process.argv[2] === '1') process.exit(1);
          console.log(process.argv[2]);`,
        ),
    );
    expect(end).toEqual({ status: 'completed', output: ['not instead, fallback, HarnessError', 2] });
    expect(project.ran()).toEqual(['fallback', 'try 1', 'try 2']);
  });

  test('a branch that goes on after a failure is refused as well, and what follows a failed parallel.all gets its own result', async () => {
    const both = (first: string) => `
      const ran = (word, code) => ctx.task({ id: 'ran', build: () => ({ kind: 'node', node: { entry: '-e', args: ['setTimeout(process.exit, ' + (code === 0 ? 300 : 0) + ', ' + code + '); console.log(JSON.stringify(process.argv[1]))', word] } }) }, { word });
      const isEnd = (error) => error.name.endsWith('PendingError') || error.name.endsWith('RequestedError');
      ${first}`;
    const inBranch = await babysat(
      processOf(
        both(`return await ctx.parallel.all([
        () => ran('first', 1).catch((error) => { if (isEnd(error)) throw error; return ran('fallback', 0); }),
        () => ran('second', 0),
      ]);`),
      ),
    );
    expect(inBranch.code).toBe(2);
    expect(inBranch.stderr).toMatch(/branch 1 of 2 of parallel\.all asks for a second effect.*The run is as it was/);
    const after = await babysat(
      processOf(
        both(`try {
        return await ctx.parallel.all([() => ran('first', 1), () => ran('second', 0)]);
      } catch (error) {
        if (isEnd(error)) throw error;
        return await ran('fallback', 0);
      }`),
      ),
    );
    expect(after.end).toEqual({ status: 'completed', output: 'fallback' });
  });

  test('plain Promise.all runs its effects at once, and bricks nothing', async () => {
    const { end, types } = await babysat(
      processOf(`return await Promise.all([word('a', 0), word('b', 0), word('c', 0)]);`),
    );
    expect(end).toEqual({ status: 'completed', output: ['a', 'b', 'c'] });
    expect(types.slice(1, 4)).toEqual(['EFFECT_REQUESTED', 'EFFECT_REQUESTED', 'EFFECT_REQUESTED']);
  });

  test('a failed sibling fails the run when its siblings have ended, not before', async () => {
    const { code, end, types } = await babysat(
      processOf(`return await ctx.parallel.all([
        () => word('slow', 0.5),
        () => ctx.task(node(${JSON.stringify('missing.mjs')}), {}),
      ]);`),
    );
    expect(code).toBe(1);
    expect(end).toMatchObject({ status: 'failed' });
    expect(types.at(-1)).toBe('RUN_FAILED');
    expect(types.filter((type) => type === 'EFFECT_RESOLVED')).toHaveLength(2);
  });

  test('sleeps, node programs, agents by the project’s configuration, and a group whose failure is a value', async () => {
    const { end, runDir } = await babysat(
      processOf(
        `await ctx.sleepUntil((globalThis.sleepsUntil ??= Date.now() + 2_000));
      const agent = { id: 'ask', build: () => ({ kind: 'agent', agent: { name: 'x', prompt: { task: 'Shout.', instructions: ['Loudly.'] } }, execution: { harness: 'shouter' } }) };
      const failing = { members: [{ id: 'no', command: ['false'] }], policy: 'fail-fast' };
      const answers = await ctx.parallel.all([
        () => ctx.task(agent, {}),
        () => ctx.task(node(new URL('program.mjs', import.meta.url).pathname), {}),
        () => group(ctx, 'fails', fanOut, failing, { failure: 'value' }),
      ]);
      return [answers[0], answers[1], answers[2].status];`,
      ),
      ({ folder }) => {
        writeFileSync(join(folder, 'program.mjs'), `console.log(JSON.stringify({ made: 'by a program' }));`);
        const config = `import { defineConfig } from 'troupe';
          import { fn } from 'troupe/harness';
          export default defineConfig({ harnesses: { shouter: fn(({ prompt }) => prompt.toUpperCase()) } });`;
        writeFileSync(join(folder, 'troupe.config.mjs'), config);
      },
    );
    expect(end).toMatchObject({ status: 'completed' });
    expect(end['output']).toEqual([expect.stringContaining('## TASK\nSHOUT.'), { made: 'by a program' }, 'failed']);
    // A sleep needs no result, and a run has one end.
    const requested = readEvents(runDir)
      .filter(({ type }) => type.startsWith('EFFECT_'))
      .map(({ type, data }) => `${type} ${JSON.stringify(data['kind'])}`);
    expect(requested.filter((one) => one === 'EFFECT_REQUESTED "sleep"')).toHaveLength(1);
  });

  test('a node program finds its inputs and its output where it is told, and what it wrote is told once more after a crash', async () => {
    const { project, runDir, end } = await babysat(
      `const entry = new URL('program.mjs', import.meta.url).pathname;
      const double = { id: 'double', build: (args, ctx) => ({ kind: 'node', node: { entry }, inputs: args, io: {
        inputJsonPath: ctx.toTaskRelativePath('inputs.json'), outputJsonPath: ctx.toTaskRelativePath('result.json'),
      } }) };
      export const process = async (inputs, ctx) => (await ctx.task(double, { n: 21 }));`,
      ({ folder }) =>
        writeFileSync(
          join(folder, 'program.mjs'),
          `import { readFileSync, writeFileSync } from 'node:fs';
          const { n } = JSON.parse(readFileSync(process.env.BABYSITTER_INPUT_JSON, 'utf8'));
          writeFileSync(process.env.BABYSITTER_OUTPUT_JSON, JSON.stringify({ twice: n * 2 }));`,
        ),
    );
    expect(end).toEqual({ status: 'completed', output: { twice: 42 } });
    // As if killed when the result was written, and its event was not.
    for (const { type, file } of readEvents(runDir))
      if (type === 'EFFECT_RESOLVED' || type === 'RUN_COMPLETED') rmSync(join(runDir, 'journal', file));
    rmSync(join(runDir, 'state'), { recursive: true });
    mkdirSync(join(runDir, 'state'));
    const again = await project.troupe(['babysit', runDir, '--json']);
    expect(JSON.parse(again.stdout)).toEqual(end);
  });

  test('an effect that nobody performs is refused by name, and the run goes on when somebody does', async () => {
    const { code, stderr, types } = await babysat(
      processOf(
        `return await ctx.task({ id: 'ask', build: () => ({ kind: 'agent', agent: { prompt: 'Hi' }, execution: { harness: 'nobody-cli' } }) }, {});`,
      ),
      ({ folder }) => writeFileSync(join(folder, 'troupe.config.mjs'), 'export default { harnesses: {} };'),
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/NO_HARNESS.*asks for harness `nobody-cli`; there are: command.*The run is as it was/);
    expect(types).toEqual(['RUN_CREATED', 'EFFECT_REQUESTED']);
  });

  test('a breakpoint waits for troupe approve', async () => {
    const project = projectWith(
      processOf(
        `const { approved, response } = await ctx.breakpoint({ question: 'Ship?' }, { label: 'ship' }); return [approved, response];`,
      ),
    );
    const runDir = await project.create('run-1');
    const driven = project.troupe(['babysit', runDir]);
    const data = join(runDir, 'troupe');
    let gate = '';
    const shown = async () => {
      const { stdout } = await project.troupe(['show', 'effects', '--data', data, '--json']);
      gate = /"(ship \w{6})"/.exec(stdout)?.[1] ?? '';
      return gate === '' ? 'no gate yet' : stdout;
    };
    await expect.poll(shown, patience).toContain('Ship?');
    expect(await project.troupe(['approve', 'effects', gate, '--note', 'fine', '--data', data])).toMatchObject({
      code: 0,
    });
    const { code, stdout } = await driven;
    expect(code).toBe(0);
    expect(stdout).toMatch(/waits for an answer: troupe approve effects 'ship \w{6}' --data/);
    expect(stdout).toMatch(/- true\n- fine/);
  });
});
