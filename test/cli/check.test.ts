import { expect, test } from 'vitest';
import { project } from './support.ts';

const council = (always: string, more = '') => `
  import { fail, ok, outcomes, protocol } from 'troupe/check';
  import { quorum } from 'troupe/machines';
  export default protocol({
    name: 'council',
    coordinator: quorum,
    input: { members: [{ id: 'a' }, { id: 'b' }], atLeast: 2 },
    members: { '*': outcomes(ok('yes'), ok('no'), fail()) },
    faults: { hostCrash: 1 },
    properties: { always: { ${always} }, sometimes: { agrees: (s) => s.status === 'completed' } },
    ${more}
  });
`;

test('what holds is verified, and told with what it took', async () => {
  const { troupe, write } = project();
  write('council.check.ts', council('oneValue: (s) => s.context.camps.length <= 2'));
  const { code, stdout, stderr } = await troupe('check', 'council.check.ts');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^✓ council: verified\n {2}\d+ states, [\d,]+ transitions, \d+ levels in [\d.]+ s\n {2}within: crash 1, timers any\n$/,
  );
});

test('what does not hold is drawn, and is a run that verifies and can be read', async () => {
  const { troupe, write } = project();
  write('council.check.ts', council('neverAgrees: (s) => s.status !== "completed"'));
  const { code, stdout } = await troupe('check', 'council.check.ts');
  expect(code).toBe(1);
  expect(stdout).toContain('✗ council: violated');
  expect(stdout).toContain('neverAgrees: `neverAgrees` does not hold after 4 steps');
  expect(stdout).toContain('coordinator');
  expect(stdout).toContain('●◀');
  const run = /it is run (\S+):/.exec(stdout)?.[1] ?? '';
  expect(run).toBe('check-council-neverAgrees-1');
  expect(await troupe('verify', run)).toMatchObject({ code: 0, stderr: '' });
  const log = await troupe('log', run);
  expect(log.stdout).toContain('member.settled');
  expect(log.stdout).toContain('check.violated');
  // What was judged is told here, and not to other tools: nothing happened there.
  expect(log.stdout).toMatch(/check\.properties +violated neverAgrees; met agrees\n/);
  const shiviz = await troupe('export', run, '--as', 'shiviz');
  expect(shiviz.stdout).toContain('check.violated');
  expect(shiviz.stdout).not.toContain('check.properties');
  expect((await troupe('ls', '--json')).stdout).toContain(run);
  const again = await troupe('check', 'council.check.ts', '--json');
  expect(again.code).toBe(1);
  expect(JSON.parse(again.stdout)).toMatchObject({
    verdict: 'violated',
    runs: { neverAgrees: 'check-council-neverAgrees-2' },
  });
});

test('a search that is cut short proves nothing, and says so', async () => {
  const { troupe, write } = project();
  write('council.check.ts', council('holds: () => true'));
  const { code, stdout } = await troupe('check', 'council.check.ts', '--max-states', '5');
  expect(code).toBe(1);
  expect(stdout).toContain('? council: incomplete');
  expect(stdout).toContain('nothing is proven');
  expect(stdout).not.toContain('verified');
});

test('files and options that make no sense are exit code 2', async () => {
  const { troupe, write } = project();
  write('nothing.ts', 'export const answer = 42;');
  expect(await troupe('check', 'nothing.ts')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('exports no model'),
  });
  expect(await troupe('check', 'gone.ts')).toMatchObject({ code: 2, stderr: expect.stringContaining('gone.ts') });
  write('council.check.ts', council('holds: () => true'));
  expect(await troupe('check', 'council.check.ts', '--model', 'other')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('it has council'),
  });
  expect(await troupe('check', 'council.check.ts', '--max-states', 'many')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--max-states'),
  });
});
