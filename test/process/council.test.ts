/** The example of the README: a council is run, killed, resumed and approved as users do it. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { lastJson, program, project, type Project } from '../cli/support.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const file = 'machines/examples/review-council.process.ts';

/** The program, in the repository's own folder, with data of the test's own. */
function council({ folder, spawn }: Project) {
  const start = (...args: readonly string[]) =>
    spawn(process.execPath, [program, ...args, '--data', folder], { cwd: root });
  return { start, troupe: (...args: readonly string[]) => start(...args).ended };
}

interface Output {
  readonly ship: boolean;
  readonly note: string;
  readonly verdict: { readonly findings: number; readonly files: number };
  readonly reviewers: readonly { readonly seat: string; readonly heardOf: readonly string[] }[];
  readonly replaced: readonly string[];
}

const outputOf = async (
  troupe: (
    ...args: readonly string[]
  ) => Promise<{ stdout: string; stderr: string; code: number | null; signal: string | null }>,
) => (lastJson(await troupe('show', 'council', '--json')) as { readonly run: { readonly output: Output } }).run.output;

const seats = ['doc comments (second)', 'leftovers', 'long functions', 'long lines'];

test('three review and talk, one is killed and replaced, a fourth joins, a judge marks a checkpoint, and somebody approves', async () => {
  const { start, troupe } = council(project());
  const host = start('run', file, '--run-id', 'council');
  await host.said('waits for approval');

  const shown = await troupe('show', 'council');
  expect(shown.stdout).toContain('waits for  an answer at gate ship\n');
  expect(shown.stdout).toMatch(/npx troupe approve council ship --data \S+\n/);
  expect(lastJson(await troupe('show', 'council', '--json'))).toMatchObject({
    waitsFor: [{ type: 'gate', group: 'council', gate: 'ship', command: 'npx troupe approve council ship' }],
    groups: [
      {
        name: 'council',
        deadLetters: expect.any(Number),
        gates: [{ name: 'ship', data: { proposal: expect.any(String) } }],
      },
    ],
  });

  const approved = await troupe('approve', 'council', 'ship', '--note', 'after lunch');
  expect(approved).toMatchObject({
    code: 0,
    stderr: '',
    stdout: 'approved: ship of group council, “The council has a verdict. Ship it?”\n',
  });
  expect(await host.ended).toMatchObject({ code: 0 });

  const output = await outputOf(troupe);
  expect(output).toMatchObject({
    ship: true,
    note: 'after lunch',
    replaced: [expect.stringContaining('doc comments: reviewer `doc comments` was killed')],
  });
  expect(output.verdict.findings).toBeGreaterThan(0);
  expect(output.reviewers.map(({ seat }) => seat).toSorted()).toEqual(seats);
  expect(output.reviewers.find(({ seat }) => seat === 'leftovers')?.heardOf).toEqual(
    expect.arrayContaining(['doc comments', 'long functions']),
  );
  expect(output.reviewers.find(({ seat }) => seat === 'long lines')?.heardOf).toEqual([
    'doc comments',
    'leftovers',
    'long functions',
  ]);

  const log = await troupe('log', 'council');
  expect(log.stdout).toMatch(/message +leftovers → coordinator: finding /);
  expect(log.stdout).toMatch(/checkpoint +reviews weighed \(4 of 4\)/);
  expect(log.stdout).toMatch(/gate\.answered +ship approved by outside: after lunch/);
  expect(await troupe('verify', 'council')).toMatchObject({ code: 0 });
});

test('its host is killed while it waits, the answer is given to nobody, and the next host hears it', async () => {
  const { start, troupe } = council(project());
  const host = start('run', file, '--run-id', 'council');
  await host.said('waits for approval');
  host.child.kill('SIGKILL');
  await host.ended;
  const rejected = await troupe('approve', 'council', 'ship', '--reject', '--note', 'not today');
  expect(rejected).toMatchObject({ code: 0, stderr: '' });
  expect(rejected.stdout).toMatch(
    /^rejected: ship of group council, .+; nobody drives run council: go on with npx troupe resume council/,
  );
  expect(await troupe('approve', 'council', 'ship')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('UNKNOWN_GATE: run council has no open gate `ship`'),
  });
  expect(await troupe('resume', 'council')).toMatchObject({ code: 0 });
  const output = await outputOf(troupe);
  expect(output).toMatchObject({ ship: false, note: 'not today' });
  expect(output.reviewers.map(({ seat }) => seat).toSorted()).toEqual(seats);
  expect(await troupe('verify', 'council')).toMatchObject({ code: 0 });
});
