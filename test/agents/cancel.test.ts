/** A run is cancelled while its agent runs a shell command: both end, and nothing of them is left. */
import { expect, test } from 'vitest';
import { scripted } from './model/script.ts';
import { describeEachWay, everyWay, newStage } from './stage/agents.ts';
import { startGroup } from './stage/group-run.ts';
import { memberOf } from './stage/harness.ts';
import { shellStep } from './stage/tools.ts';

describeEachWay(everyWay, 'is cancelled in the middle of a tool', (way) => {
  test('no process of it survives, of its tools neither, daemons included', async () => {
    const stage = await newStage();
    // One in the foreground, and one that leaves group, session and parent.
    const command = 'setsid -f sleep 301; sleep 300';
    const group = await startGroup(stage, {
      members: [{ id: 'ann', harness: 'agent', prompt: scripted([shellStep(way.agent, command), { text: 'never' }]) }],
      harnesses: { agent: memberOf(stage, way) },
    });
    const running = () => stage.survivors().filter(({ command: one }) => /^sleep 30[01]$/.test(one)).length;
    await expect.poll(running, { timeout: 30_000, interval: 20 }).toBe(2);

    const startedMs = performance.now();
    await group.run.cancel('enough');
    const tookMs = performance.now() - startedMs;
    // At once: nobody waits for what is gone.
    expect(stage.survivors()).toEqual([]);
    expect(tookMs).toBeLessThan(12_000);
    await expect(group.output).rejects.toThrow('the run has cancelled');
    expect(await group.entries('member.settled')).toEqual([]);
    expect(await group.entries('attempt.cancelled')).toMatchObject([{ member: 'ann', reason: 'enough' }]);
  });
});
