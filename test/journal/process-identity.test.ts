import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { machineProcesses } from '../../src/journal/index.ts';

const self = machineProcesses.self();

/** A process's start time as the system tells it. */
function startedAt(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

describe('who lives', () => {
  test('this process lives', () => {
    expect(self.pid).toBe(process.pid);
    expect(machineProcesses.liveness({ ...self })).toBe('alive');
  });

  test('of a process on another machine, in another container, or before a restart nothing is known', () => {
    expect(machineProcesses.liveness({ ...self, host: 'elsewhere' })).toBe('unknown');
    expect(machineProcesses.liveness({ ...self, pidNamespace: 'pid:[1]' })).toBe('unknown');
    expect(machineProcesses.liveness({ ...self, bootId: 'before' })).toBe('unknown');
  });

  test.runIf(existsSync('/proc/self/stat'))('a pid that another process has got by now is a dead holder', () => {
    expect(machineProcesses.liveness({ ...self, startedAt: '1' })).toBe('dead');
    expect(machineProcesses.liveness({ ...self, pid: process.ppid, startedAt: startedAt(process.ppid) })).toBe('alive');
    expect(machineProcesses.liveness({ ...self, pid: process.ppid, startedAt: '1' })).toBe('dead');
  });

  test.runIf(existsSync('/proc/self/stat'))(
    'a process that has ended is dead, though nobody has fetched its result',
    async () => {
      // The shell's child ends when its input does; the shell has become `cat`, which fetches no results.
      const parent = spawn('sh', ['-c', 'cat <&3 >&2 & echo $!; exec cat 3<&-'], {
        stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
      });
      try {
        const [line] = (await once(parent.stdout ?? parent, 'data')) as [Buffer];
        const pid = Number(String(line));
        const child = { ...self, pid, startedAt: startedAt(pid) };
        expect(machineProcesses.liveness(child)).toBe('alive');
        // As long as it is a shell, it may fetch the result.
        while (readFileSync(`/proc/${parent.pid}/comm`, 'utf8').trim() !== 'cat') await new Promise(setImmediate);
        process.kill(pid, 'SIGKILL');
        while (machineProcesses.liveness(child) !== 'dead') await new Promise(setImmediate);
        expect(existsSync(`/proc/${pid}/stat`)).toBe(true);
      } finally {
        parent.kill('SIGKILL');
      }
      if (parent.exitCode === null && parent.signalCode === null) await once(parent, 'exit');
      const gone = { ...self, pid: parent.pid ?? 0, startedAt: '1' };
      expect(machineProcesses.liveness(gone)).toBe('dead');
    },
  );
});
