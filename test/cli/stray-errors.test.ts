/** A process file that throws where nothing waits for it. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lastJson, livingIn, members, patience, program, project, startedIn, workProcess } from './support.ts';

/** Does that once there is a file `stray`. */
const straying = (how: string) =>
  workProcess.replace(
    'async (ctx, input) => {',
    `async (ctx, input) => {
  const { existsSync } = await import('node:fs');
  const timer = setInterval(() => {
    if (!existsSync('stray')) return;
    clearInterval(timer);
    ${how}
  }, 20);
`,
  );

/** What a run comes to that strays when one member has settled and another is at work. */
async function strayed(how: string) {
  const it = project({ 'work.process.mjs': straying(how) });
  const host = it.start('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a', 'held'));
  await host.said(/settled +a ok/);
  await expect.poll(() => startedIn(it)).toContain('held');
  it.write('stray', '');
  return { it, ended: await host.ended };
}

test.each([
  ['a timer of its own', `throw new TypeError('late');`],
  ['a promise that nobody awaits', `void Promise.reject(new TypeError('late'));`],
])('%s: the run is stopped as by Ctrl-C, told why and how it goes on', async (_, how) => {
  const { it, ended } = await strayed(how);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(/^run r1 has not ended\. Go on with: npx troupe resume r1/m);
  expect(ended.stderr).toMatch(
    /^PROCESS_INVALID: work\.process\.mjs, .* nothing waits for: TypeError: late \(work\.process\.mjs:\d+\)\. /m,
  );
  expect(livingIn(it)).toEqual([]);
  expect((await it.troupe('log', 'r1', '--json')).stdout).toMatch(
    /"attempt\.cancelled".*an error that nothing waits for/,
  );
  it.write('work.process.mjs', workProcess);
  it.write('go', '');
  const again = await it.troupe('resume', 'r1', '--json');
  expect(again.code).toBe(0);
  expect(lastJson(again)).toMatchObject({ run: { status: 'completed' } });
  expect(startedIn(it)).toEqual(['a', 'held', 'held']);
});

test('one that throws on and on is left at once, and nothing of it lives on', async () => {
  const { it, ended } = await strayed(`setInterval(() => { throw new Error('again'); }, 1);`);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain('again');
  await expect.poll(() => livingIn(it), { timeout: 10_000 }).toEqual([]);
});

test('a bug of the program itself is told as one', async () => {
  const { ended } = await strayed(
    `throw Object.assign(new Error('ours'), { stack: 'Error: ours\\n    at f (' + ${JSON.stringify(program)} + ':1:1)' });`,
  );
  expect(ended.code).toBe(70);
  expect(ended.stderr).toContain('This is a bug of troupe');
});

test('whoever only looks at such a run goes on looking, and is told once', async () => {
  const throwing = `setInterval(() => { writeFileSync('thrown', ''); throw new TypeError('late'); }, 20);`;
  const it = project({
    'work.process.mjs': straying(`const { writeFileSync } = await import('node:fs'); ${throwing}`).replace(
      'setInterval(() => {',
      'setInterval(async () => {',
    ),
  });
  expect((await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a'))).code).toBe(0);
  const viewer = it.start('inspect', 'r1', '--port', '0', '--json');
  const { url } = JSON.parse(await viewer.said(/\n/)) as { readonly url: string };
  it.write('stray', '');
  await expect.poll(() => existsSync(it.path('thrown')), patience).toBe(true);
  expect((await fetch(`${url}api/overview`)).status).toBe(200);
  viewer.child.kill('SIGINT');
  const { code, stderr } = await viewer.ended;
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /^PROCESS_INVALID: work\.process\.mjs, .*: TypeError: late .* The run is shown all the same\.$/m,
  );
  expect(stderr.match(/late/g)).toHaveLength(1);
});
