/** What was not allowed is not done, the group's own tools always are, and whoever is asked decides. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { CliOptions, PermissionRequest } from '../../src/harness/index.ts';
import { textOf } from './model/question.ts';
import { scripted } from './model/script.ts';
import { describeEachWay, everyWay, newStage, type Way } from './stage/agents.ts';
import { onlyOutput, startGroup } from './stage/group-run.ts';
import { memberOf } from './stage/harness.ts';
import { shellStep } from './stage/tools.ts';

/** A member that writes a file by its shell, and marks a checkpoint. */
async function writer(way: Way, options: CliOptions) {
  const stage = await newStage();
  const mark = { tool: 'group_checkpoint', args: { name: 'tried' } };
  const steps = [shellStep(way.agent, 'touch written.txt'), mark, { text: 'went on' }];
  const group = await startGroup(stage, {
    members: [{ id: 'ann', harness: 'agent', prompt: scripted(steps) }],
    harnesses: { agent: memberOf(stage, way, { sandbox: 'read-only', ...options }) },
  });
  return { stage, group, isWritten: () => existsSync(join(stage.work, 'written.txt')) };
}

const endsWhenRejected = new Set(['opencode cli', 'opencode acp', 'qwen acp', 'copilot acp']);

describeEachWay(everyWay, 'is allowed nothing but the tools of its group', (way) => {
  test('it does not do what it was not allowed, goes on, and its mailbox is open', async () => {
    const { stage, group, isWritten } = await writer(way, { permissions: 'deny' });
    const { results, failed } = await group.output;
    expect(isWritten()).toBe(false);
    expect(await stage.settled()).toEqual([]);
    // The turn of some ends at what was rejected, whoever rejects it.
    if (endsWhenRejected.has(`${way.agent} ${way.speech}`)) return;
    expect(failed).toEqual([]);
    if (way.speech === 'cli' && (way.agent === 'gemini' || way.agent === 'qwen')) {
      // They do not even offer what they may not do.
      expect(results[0]?.output).toMatch(/^no tool `run_shell_command`; offered: .*group_checkpoint/);
      return;
    }
    expect(results[0]?.output).toBe('went on');
    expect((await group.entries('checkpoint')).map(({ name }) => name)).toEqual(['tried']);
  });
});

/** Agents that ask on the way; the others are given a policy beforehand. */
const asks = ({ agent, speech }: Way) => (speech === 'acp' ? agent !== 'codex' : agent === 'claude');

describeEachWay(everyWay, 'asks', (way) => {
  test.skipIf(!asks(way))('whoever is asked hears the tool and its input, and what is allowed is done', async () => {
    const heard: PermissionRequest[] = [];
    const { stage, group, isWritten } = await writer(way, {
      permissions(request, asker) {
        heard.push(request);
        return { allowed: asker.member === 'ann' && JSON.stringify(request.input).includes('touch written.txt') };
      },
    });
    expect(onlyOutput(await group.output)).toBe('went on');
    expect(isWritten()).toBe(true);
    expect(heard.length).toBeGreaterThan(0);
    expect(await stage.settled()).toEqual([]);
  });

  test.skipIf(!asks(way))('a person is asked by a gate, and the answer holds', async () => {
    const { group, isWritten } = await writer(way, { permissions: 'ask' });
    const gate = await group.until('gate.opened');
    expect(gate['question']).toContain('May member ann use');
    expect(isWritten()).toBe(false);
    const answer = { group: 'group', gate: textOf(gate['name']), approved: true, note: '' };
    // The entry is durable a moment before its host has folded it.
    await vi.waitFor(() => group.run.answer(answer), { timeout: 5_000 });
    expect(onlyOutput(await group.output)).toBe('went on');
    expect(isWritten()).toBe(true);
  });
});
