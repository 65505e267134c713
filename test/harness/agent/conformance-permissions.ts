/** Permissions: of agents that ask before they use a tool that they were not given. */
import { expect, vi } from 'vitest';
import { scripted } from '../../agents/model/script.ts';
import { type ConformanceKit, textOf, waitMs } from './conformance-kit.ts';

/** Declares them. */
export function permissions({ subject, promise, isMade }: ConformanceKit): void {
  const touch = (name: string) => subject.shell(`touch ${name}`);

  promise('a tool is used when it is allowed, and asked for each time', async (open) => {
    const { session, asked } = await open();
    const script = scripted([touch('allowed-1'), touch('allowed-2'), { text: 'done' }]);
    expect(textOf(await session.prompt(script))).toContain('done');
    expect([isMade('allowed-1'), isMade('allowed-2')]).toEqual([true, true]);
    expect(asked.length).toBe(2);
    expect(new Set(asked.map(({ id }) => id)).size).toBe(2);
    expect(JSON.stringify(asked[0]?.input)).toContain('touch allowed-1');
  });

  promise('a tool that is denied is not used, and the turn ends all the same', async (open) => {
    const { session, events } = await open({
      onPermission: () => Promise.resolve({ allowed: false, note: 'not today' }),
    });
    const end = await session.prompt(scripted([touch('denied'), { text: 'then not' }]));
    expect(['ok', 'error']).toContain(end.status);
    expect(isMade('denied')).toBe(false);
    expect(events).toContainEqual(expect.objectContaining({ type: 'denied', message: 'not today' }));
  });

  promise('a question that nobody answers does not outlive a cancelled turn', async (open) => {
    const { session, asked } = await open({ onPermission: () => new Promise(() => {}) });
    const turn = session.prompt(scripted([touch('never'), { text: 'no' }]));
    await vi.waitFor(() => expect(asked).not.toEqual([]), { timeout: waitMs, interval: 2 });
    await session.cancel();
    expect(await turn).toEqual({ status: 'cancelled' });
    expect(isMade('never')).toBe(false);
  });

  promise('an answer that fails counts as a refusal', async (open) => {
    const { session, events } = await open({ onPermission: () => Promise.reject(new Error('the door is shut')) });
    await session.prompt(scripted([touch('rejected'), { text: 'then not' }]));
    expect(isMade('rejected')).toBe(false);
    expect(events).toContainEqual(expect.objectContaining({ type: 'denied', message: 'the door is shut' }));
  });
}
