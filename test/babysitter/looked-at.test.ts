/** A run directory of babysitter that somebody looks at: what is said of it, whatever stands in it. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entriesOf, journalOfRunDir } from '../../src/babysitter/as-journal.ts';
import { openRunFolder } from '../../src/babysitter/run/run-folder.ts';
import { openRecording } from '../../src/view/open-recording.ts';
import { project } from '../cli/support.ts';
import { newRunDir, temporary } from './place.ts';

test('an event that is not as events of its type are is a note, and what else there is can be looked at', async () => {
  const runDir = await newRunDir(temporary());
  const of = { group: 'work', groupId: 'grp_1' };
  const settled = { ...of, member: 'a', incarnation: 1, attempt: 1 };
  await openRunFolder(runDir).append([
    { type: 'GROUP_CREATED', data: { ...of, machine: { id: 'fan-out', version: '1' } } },
    { type: 'GROUP_MEMBER_SETTLED', data: { ...settled, outcome: 5 } },
    { type: 'GROUP_MEMBER_SETTLED', data: { ...settled, outcome: { status: 'error', error: null } } },
    { type: 'GROUP_MEMBER_SETTLED', data: { ...settled, member: 7, outcome: { status: 'ok', output: 1 } } },
    { type: 'GROUP_MEMBER_SETTLED', data: { ...settled, outcome: { status: 'ok', output: 1 } } },
    { type: 'GROUP_ENDED', data: { ...of, end: { status: 'failed' } } },
    { type: 'GROUP_ENDED', data: { ...of, end: { status: 'failed', error: { name: 'Error', message: 'no' } } } },
  ]);
  expect(entriesOf(runDir, openRunFolder(runDir).events()).map(({ type }) => type)).toEqual([
    'run.created',
    'group.created',
    'log',
    'log',
    'log',
    'member.settled',
    'log',
    'group.ended',
  ]);
  const { recording, refresh } = openRecording({ journal: journalOfRunDir(runDir) });
  await refresh();
  expect(recording.last().groups['work']).toMatchObject({ end: 'failed: no', members: { a: { output: '1' } } });
});

test('what is damaged has a remedy that there is for it: such a run is not forked', async () => {
  const it = project();
  const runDir = await newRunDir(it.folder);
  const [created = ''] = readdirSync(join(runDir, 'journal'));
  writeFileSync(join(runDir, 'journal', created), '{');
  for (const command of ['log', 'inspect', 'babysit']) {
    const { code, stderr } = await it.troupe(command, runDir);
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr: expect.stringMatching(
        /^JOURNAL_CORRUPT: .*\n→ .*restore the named file of the run directory from a copy/,
      ),
    });
    expect(stderr).not.toContain('fork');
  }
  expect((await it.troupe('babysit', it.path('nowhere'))).stderr).not.toContain('troupe ls');
});

test('nobody is told to allow what cannot be done to it', async () => {
  const it = project();
  const runDir = await newRunDir(it.folder);
  const looking = it.start('inspect', runDir, '--allow-control');
  expect(await looking.said(/Ctrl-C ends it/)).toMatch(/^it only looks; Ctrl-C ends it$/m);
  looking.child.kill('SIGINT');
  expect(await looking.ended).toMatchObject({ code: 0 });
});
