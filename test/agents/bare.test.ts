/** The real programs take the mock model for their vendor's: without this, nothing that the other tests say would count. */
import { expect, test } from 'vitest';
import { scripted } from './model/script.ts';
import { describeEachWay, newStage } from './stage/agents.ts';
import { bareTurn } from './stage/bare.ts';
import { shellStep } from './stage/tools.ts';

describeEachWay(['cli'], 'without us', ({ agent: name }) => {
  const turn = async (steps: Parameters<typeof scripted>[0]) => {
    const stage = await newStage();
    const reach = stage.reach(name);
    const where = { cwd: stage.work, env: { ...stage.env, ...reach.env }, reach };
    return { stage, ...(await bareTurn(name, scripted(steps), where)) };
  };

  test('says what the model says', async () => {
    const { text, exitCode, stderr, stage } = await turn([{ text: 'Grüße from the model' }]);
    expect(exitCode, stderr).toBe(0);
    expect(text).toContain('Grüße from the model');
    const asked = stage.model.requests.filter(({ isSide, wire }) => !isSide && wire !== 'other');
    expect(asked.map(({ step, answer, key }) => [step, answer, key])).toEqual([[0, 'text', 'mock-key-of-the-tests']]);
  });

  test('uses a tool as the model says, and the model sees what came of it', async () => {
    const { text, exitCode, stderr } = await turn([shellStep(name, 'expr 40000 + 2345'), { echo: true }]);
    expect(exitCode, stderr).toBe(0);
    expect(text).toContain('42345');
  });

  test('goes on after a model that was overloaded once', async () => {
    const { text, stage } = await turn([{ error: 529, times: 1 }, { text: 'better now' }]);
    expect(text).toContain('better now');
    expect(stage.model.requests.map(({ answer }) => answer)).toContain('status 529');
  });
});
