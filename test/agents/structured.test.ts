/** A result that is to be JSON of a schema: each agent is told so in its own way, and the coordinator gets JSON. */
import { expect, test } from 'vitest';
import { scripted } from './model/script.ts';
import { describeEachWay, newStage } from './stage/agents.ts';
import { startGroup } from './stage/group-run.ts';
import { memberOf } from './stage/harness.ts';

const verdict = { ship: true, why: 'it is "done"' };
const outputSchema = {
  type: 'object',
  properties: { ship: { type: 'boolean' }, why: { type: 'string' } },
  required: ['ship', 'why'],
  additionalProperties: false,
};

describeEachWay(['cli'], 'answers JSON', (way) => {
  // These two give a result of a schema by a tool of their own.
  const tools = { claude: 'StructuredOutput', qwen: 'structured_output' } as const;
  const tool = way.agent === 'claude' || way.agent === 'qwen' ? tools[way.agent] : undefined;

  test('the output is what the schema describes; what is none is invalid output', async () => {
    const stage = await newStage();
    const good =
      tool === undefined ? [{ text: JSON.stringify(verdict) }] : [{ tool, args: verdict }, { text: 'Given.' }];
    const members = [
      { id: 'ann', harness: 'agent', prompt: scripted(good), input: { outputSchema } },
      { id: 'bob', harness: 'agent', prompt: scripted([{ text: 'I would rather not say.' }]), input: { outputSchema } },
    ];
    const group = await startGroup(stage, { members, harnesses: { agent: memberOf(stage, way) } });
    const { results, failed } = await group.output;
    expect(results).toEqual([{ id: 'ann', output: verdict }]);
    expect(failed).toMatchObject([{ id: 'bob' }]);
    expect(await stage.settled()).toEqual([]);
  });
});
