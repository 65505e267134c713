/** An agent is killed in the middle of a tool: the next attempt takes its session up, and ends what was left behind. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { scripted } from './model/script.ts';
import { describeEachWay, everyWay, newStage } from './stage/agents.ts';
import { onlyOutput, startGroup } from './stage/group-run.ts';
import { memberOf } from './stage/harness.ts';
import { shellStep } from './stage/tools.ts';

describeEachWay(everyWay, 'is killed in the middle of a tool', (way) => {
  test('and goes on in the same session, once what it left behind is gone', { timeout: 150_000 }, async () => {
    const stage = await newStage();
    // What it began last may be asked for again: some agents forget it.
    const once = 'if [ -e begun ]; then echo twice; else touch begun; sleep 300; fi';
    const steps = [{ tool: 'group_checkpoint', args: { name: 'before' } }, shellStep(way.agent, once), { echo: true }];
    const group = await startGroup(stage, {
      members: [{ id: 'ann', harness: 'agent', prompt: scripted(steps), retry: { attempts: 2, minMs: 1 } }],
      harnesses: { agent: memberOf(stage, way) },
    });
    const isAtWork = () => stage.survivors().some(({ command }) => command === 'sleep 300');
    await expect.poll(isAtWork, { timeout: 30_000, interval: 20 }).toBe(true);
    // Copilot's command line writes its session down with a delay; killed before, it begins anew.
    if (way.agent === 'copilot' && way.speech === 'cli') await delay(1_500);
    // Not the tool, and not the shell that runs it.
    const agents = stage.survivors().filter(({ command }) => !/^sleep 300$|^(\S*\/)?(ba|da)?sh /.test(command));
    expect(agents.length).toBeGreaterThan(0);
    for (const { pid } of agents) process.kill(pid, 'SIGKILL');

    await group.until('attempt.failed');
    // The tool outlived its agent, but not the end of the attempt.
    expect(stage.survivors().filter(({ command }) => command === 'sleep 300')).toEqual([]);
    const seen = onlyOutput(await group.output);
    expect(await stage.settled()).toEqual([]);

    const [failed] = await group.entries('attempt.failed');
    expect(failed).toMatchObject({ attempt: 1, class: 'crashed' });
    const sessions = await group.entries('attempt.session');
    expect(new Set(sessions.map(({ attempt }) => attempt))).toEqual(new Set([1, 2]));
    expect((await group.entries('checkpoint')).map(({ name }) => name)).toEqual(['before']);
    expect(new Set(sessions.map(({ session }) => session)).size).toBe(1);
    // The model sees what was before, and that it was interrupted.
    expect(seen).toContain('before');
    expect(seen).toContain('You were interrupted');
  });
});
