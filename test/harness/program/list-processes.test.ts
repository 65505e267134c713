import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { parsePs } from '../../../src/harness/program/list-by-ps.ts';
import { marksIn, markVariables } from '../../../src/harness/program/marker.ts';
import { hostMark, listProcesses } from '../../../src/harness/program/list-processes.ts';

test('this process is found, with its group and its start', async () => {
  const found = (await listProcesses()).find(({ pid }) => pid === process.pid);
  expect(`${found?.pid}-${found?.start}`).toBe(hostMark());
  expect(found?.groupId).toBeGreaterThan(0);
});

test('a process started before the question is in the answer, also when a scan is under way', async () => {
  const scans = [listProcesses()];
  const child = spawn('sleep', ['60'], { env: { TROUPE_ATTEMPT: 'scan', TROUPE_HOST: 'h' } });
  scans.push(listProcesses(), listProcesses());
  const [, second, third] = await Promise.all(scans);
  expect(second).toBe(third);
  expect(second?.find(({ pid }) => pid === child.pid)?.marks).toEqual([{ host: 'h', key: 'scan' }]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect((await listProcesses()).some(({ pid }) => pid === child.pid)).toBe(false);
});

test('marks of the attempts a host runs in are handed on, whatever the keys look like', () => {
  const attempt = (key: string) => ({ run: 'r', group: 'g', member: 'm', key });
  const outer = markVariables(attempt('a b/ü%\n#1/1'), '1-10', {});
  const middle = markVariables(attempt('c/1'), '2-20', outer);
  const inner = markVariables(attempt('d/1'), '3-30', middle);
  expect(marksIn(Object.entries(inner).map((pair) => pair.join('=')))).toEqual([
    { host: '1-10', key: 'a b/ü%\n#1/1' },
    { host: '2-20', key: 'c/1' },
    { host: '3-30', key: 'd/1' },
  ]);
  expect(marksIn([])).toEqual([]);
  expect(marksIn(['TROUPE_ATTEMPT=k', 'TROUPE_ATTEMPT=second', 'TROUPE_OUTER=nonsense x/%zz'])).toEqual([
    { host: 'x', key: '%zz' },
    { host: '', key: 'k' },
  ]);
});

test('where there is only ps, its lines are read', () => {
  const lines = [
    '    1     1 Ss   /sbin/init TERM=linux',
    '  412   410 S+   sh -c sleep 9 HOME=/root TROUPE_HOST=7-70 TROUPE_ATTEMPT=run 1/g/a b#1/1 TROUPE_OUTER=5-50/out%2Fer TERM=xterm',
    '  413   410 Z+   [sh] <defunct>',
    'nonsense',
  ];
  expect(parsePs(`${lines.join('\n')}\n`)).toEqual([
    { pid: 1, groupId: 1, start: '', marks: [] },
    {
      pid: 412,
      groupId: 410,
      start: '',
      marks: [
        { host: '5-50', key: 'out/er' },
        { host: '7-70', key: 'run 1/g/a b#1/1' },
      ],
    },
  ]);
});
