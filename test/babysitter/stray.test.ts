/** A process file of babysitter's that throws where nothing waits for it. */
import { expect, test } from 'vitest';
import { livingIn, patience, startedIn } from '../cli/support.ts';
import { playedProject, type PlayedProject } from './played-sdk.ts';

/** Does that once there is a file `stray`. */
const straying = (how: string) => `
import { existsSync } from 'node:fs';
const timer = setInterval(() => {
  if (!existsSync('stray')) return;
  clearInterval(timer);
  ${how}
}, 20);
export function process() {}
`;

const held = {
  label: 'held',
  command: 'echo "held $$" >> started.txt; while [ ! -e go ]; do sleep 0.02; done; echo held',
};

/** What driving a run comes to that strays while its command is at work. */
async function strayed(how: string, ...more: readonly string[]) {
  const it: PlayedProject = await playedProject([held]);
  it.write('process.mjs', straying(how));
  const driven = it.start(...it.babysit, ...more);
  await expect.poll(() => startedIn(it), patience).toEqual(['held']);
  it.write('stray', '');
  return { it, ended: await driven.ended };
}

test.each([
  ['a timer of its own', `throw new TypeError('late');`],
  ['a promise that nobody awaits', `void Promise.reject(new TypeError('late'));`],
])('%s: the run is stopped as by Ctrl-C, told why, and goes on', async (_, how) => {
  const { it, ended } = await strayed(how);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(
    /^PROCESS_INVALID: process\.mjs, .* nothing waits for: TypeError: late \(process\.mjs:\d+\)\. .*$\n?/m,
  );
  expect(ended.stderr).not.toMatch(/^ *at /m);
  expect(livingIn(it)).toEqual([]);
  it.write('process.mjs', straying(''));
  it.write('go', '');
  expect(await it.troupe(...it.babysit, '--json')).toMatchObject({ code: 0 });
});

test('with --json it is one line of JSON', async () => {
  const { ended } = await strayed(`throw new TypeError('late');`, '--json');
  expect(ended.code).toBe(2);
  expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: 'PROCESS_INVALID', exitCode: 2 } });
});
