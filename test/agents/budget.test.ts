/** A budget is a bound: over it the turn is ended, and no further attempt is made. */
import { expect, test } from 'vitest';
import { scripted } from './model/script.ts';
import { describeEachWay, describeWith, newStage } from './stage/agents.ts';
import { startGroup } from './stage/group-run.ts';
import { cliMember, memberOf } from './stage/harness.ts';

describeEachWay(['cli'], 'has spent its tokens', (way) => {
  // Copilot says nothing of tokens on its command line.
  test.skipIf(way.agent === 'copilot')(
    'it fails with the budget and what was spent, and is not tried again',
    async () => {
      const stage = await newStage();
      const steps = [{ tool: 'group_members', args: {}, usage: { in: 6_000, out: 1_000 } }, { text: 'too late' }];
      const group = await startGroup(stage, {
        members: [
          {
            id: 'ann',
            harness: 'agent',
            prompt: scripted(steps),
            budget: { tokens: 5_000 },
            retry: { attempts: 3, minMs: 1, on: ['refused', 'failed', 'crashed'] },
          },
        ],
        harnesses: { agent: memberOf(stage, way) },
      });
      const { failed, results } = await group.output;
      expect(results).toEqual([]);
      expect(failed).toMatchObject([{ id: 'ann', error: { code: 'BUDGET' } }]);
      expect(failed[0]?.error.message).toMatch(/5,?000/);
      expect(await group.entries('attempt.started')).toHaveLength(1);
      expect(await stage.settled()).toEqual([]);
    },
  );
});

describeWith(['claude'], 'money', () => {
  test('a turn that costs too much is ended on the way', async () => {
    const stage = await newStage();
    const steps = Array.from({ length: 30 }, () => ({
      tool: 'group_members',
      args: {},
      usage: { in: 100_000, out: 10_000 },
      wait: 100,
    }));
    const group = await startGroup(stage, {
      members: [{ id: 'ann', harness: 'claude', prompt: scripted(steps), budget: { costUsd: 1 } }],
      harnesses: { claude: cliMember(stage, 'claude') },
    });
    const { failed } = await group.output;
    expect(failed).toMatchObject([{ error: { code: 'BUDGET' } }]);
    expect(stage.model.requests.filter(({ step }) => step >= 0).length).toBeLessThan(20);
    const [settled] = await group.entries('member.settled');
    expect(JSON.stringify(settled)).toMatch(/"costUsd":[\d.]+/);
  });
});
