/** One headless turn of each agent as a member of a group: what the coordinator gets, and what the journal keeps. */
import { expect, test } from 'vitest';
import { objectOf } from './model/question.ts';
import { scripted } from './model/script.ts';
import { describeEachWay, everyWay, newStage } from './stage/agents.ts';
import { onlyOutput, startGroup } from './stage/group-run.ts';
import { memberOf } from './stage/harness.ts';

describeEachWay(everyWay, 'does a turn', (way) => {
  test('its last text is the output, its session and what it used are recorded, and nothing of it runs any more', async () => {
    const stage = await newStage();
    const text = 'Grüße 👩‍🚀 from "the" \\model\\';
    const group = await startGroup(stage, {
      members: [{ id: 'ann', harness: 'agent', prompt: scripted([{ text, usage: { in: 1_000, out: 200 } }]) }],
      harnesses: { agent: memberOf(stage, way) },
    });
    expect(onlyOutput(await group.output)).toBe(text);
    expect(await stage.settled()).toEqual([]);

    const [session] = await group.entries('attempt.session');
    expect(session).toMatchObject({ member: 'ann', attempt: 1, session: expect.stringMatching(/\S{8}/) as string });
    const [settled] = await group.entries('member.settled');
    // What Copilot says of its turns has no tokens in it; what Qwen Code says over ACP neither.
    const isSilent = way.agent === 'copilot' || (way.agent === 'qwen' && way.speech === 'acp');
    expect(settled).toMatchObject({ outcome: { status: 'ok' } });
    if (!isSilent) {
      const { usage } = objectOf(settled?.['outcome']);
      const { tokens } = objectOf(usage);
      // Qwen Code asks for a suggestion besides.
      if (way.agent === 'qwen') expect(tokens).toBeGreaterThanOrEqual(1_200);
      else expect(tokens).toBe(1_200);
    }
    const asked = stage.model.requests.filter(({ step }) => step >= 0);
    expect(asked.map(({ answer, key }) => [answer, key])).toEqual([['text', 'mock-key-of-the-tests']]);
  });

  test('it is told who it is, and is offered the tools of its group', async () => {
    const stage = await newStage();
    const group = await startGroup(stage, {
      members: [{ id: 'ann', harness: 'agent', prompt: scripted([{ tool: 'group_members' }, { echo: true }]) }],
      harnesses: { agent: memberOf(stage, way) },
    });
    const text = onlyOutput(await group.output);
    expect(text.replaceAll('\\', '')).toContain(
      '"group":"group","you":"ann","members":[{"id":"ann","status":"running"}]',
    );
    const [asked] = stage.model.requests.filter(({ step }) => step === 0);
    expect(JSON.stringify(asked?.body)).toMatch(/You are the member .{1,4}ann.{1,4} of the group .{1,4}group/);
  });
});
