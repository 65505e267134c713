/** Sessions and processes: the one outlives the other, and nothing outlives both. */
import { readFileSync } from 'node:fs';
import { expect, vi } from 'vitest';
import { AgentFailure } from '../../../src/harness/agent/port.ts';
import { scripted } from '../../agents/model/script.ts';
import { classOf, type ConformanceKit, send, textOf, waitMs } from './conformance-kit.ts';

/** Declares those of agents that can take up a session. */
export function resuming({ promise }: ConformanceKit): void {
  promise('a session goes on in another process, and its past is not told again', async (open) => {
    const before = await open();
    expect(textOf(await before.session.prompt(scripted([{ text: 'noted' }, { echo: true }])))).toContain('noted');
    await before.session.close();
    const id = before.session.id ?? 'none';
    const after = await open({ session: { mode: 'resume', id } });
    expect(after.session.id).toBe(id);
    expect(textOf(await after.session.prompt('a word for later: nougat'))).toContain('nougat');
    expect(after.said()).not.toContain('noted');
  });

  promise('a session that never was is refused', async (open) => {
    const id = '00000000-0000-4000-8000-000000000000';
    const opened = open({ session: { mode: 'resume', id } }).then(async ({ session }) => {
      const end = await session.prompt(scripted([{ text: 'hello' }]));
      if (end.status === 'error') throw new AgentFailure(end.class, end.error.message);
    });
    await expect(opened).rejects.toBeInstanceOf(AgentFailure);
  });
}

/** Declares those of agents that run processes. */
export function processes({ subject, promise, living }: ConformanceKit): void {
  promise('an agent that is killed in its turn has crashed; where it can, it goes on from there', async (open) => {
    const { session, speaks } = await open();
    const script = [send('before-the-end'), { slow: { n: 400, ms: 50 } }, { text: 'no' }];
    const turn = session.prompt(scripted(script));
    await speaks();
    for (const pid of session.pids) process.kill(-pid, 'SIGKILL');
    expect(classOf(await turn)).toBe('crashed');
    if (!subject.capabilities.resume) return;
    expect(textOf(await session.prompt(scripted([{ text: 'alive again' }])))).toContain('alive again');
  });

  promise('what a tool left running ends with the session', async (open) => {
    const { session } = await open();
    const step = subject.shell('setsid sleep 300 >/dev/null 2>&1 & exec sleep 301');
    const turn = session.prompt(scripted([step, { text: 'done' }]));
    const sleepers = () => living().filter((pid) => programOf(pid) === 'sleep');
    await vi.waitFor(() => expect(sleepers()).toHaveLength(2), { timeout: waitMs, interval: 20 });
    await session.close();
    expect(living()).toEqual([]);
    expect(await turn).toEqual({ status: 'cancelled' });
  });
}

function programOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}
