/** Every agent carries on when its MCP server is not there, and ends well: it is noticed all the same. */
import { expect, test } from 'vitest';
import type { AgentOptions } from '../../src/harness/index.ts';
import { scripted } from './model/script.ts';
import { describeEachWay, everyWay, newStage } from './stage/agents.ts';
import { startGroup } from './stage/group-run.ts';
import { memberOf } from './stage/harness.ts';

/** A server that is told of, and that nobody has started. */
const nobody: NonNullable<AgentOptions['serveMailbox']> = () =>
  Promise.resolve({
    mcpServer: { name: 'group', url: 'http://127.0.0.1:9/mcp', headers: { Authorization: 'Bearer nobody-hears-this' } },
    isJoined: () => false,
    lastHeardAt: () => undefined,
    close: () => Promise.resolve(),
  });

describeEachWay(everyWay, 'cannot reach its mailbox', (way) => {
  const play = async (mailbox: 'optional' | 'required') => {
    const stage = await newStage();
    const group = await startGroup(stage, {
      members: [{ id: 'ann', harness: 'agent', prompt: scripted([{ slow: { n: 20, ms: 100 } }]) }],
      harnesses: { agent: memberOf(stage, way, { mailbox, serveMailbox: nobody, joinMs: 1_000 }) },
    });
    const output = await group.output;
    expect(await stage.settled()).toEqual([]);
    return { ...output, session: (await group.entries('attempt.session')).at(-1) };
  };

  test('where it must be there, the attempt fails and says so', async () => {
    const { results, failed } = await play('required');
    expect(results).toEqual([]);
    expect(failed).toMatchObject([{ id: 'ann', error: { code: 'MAILBOX_DEAD' } }]);
  });

  test('where it need not be there, that is told, and the result counts', async () => {
    const { results, failed, session } = await play('optional');
    // Some agents refuse to begin without a server that they were told of.
    if (failed.length > 0)
      expect(failed).toMatchObject([{ error: { message: expect.stringMatching(/mcp|group/i) as string } }]);
    else {
      expect(results).toMatchObject([{ id: 'ann', output: expect.stringContaining('token-20') as string }]);
      expect(session).toMatchObject({ data: { mailbox: expect.stringContaining('has not joined') as string } });
    }
  });
});
