/** A vendor that is overloaded, or refuses the key: another one goes on. */
import { expect, test } from 'vitest';
import type { AgentName } from './install/pins.ts';
import { scripted } from './model/script.ts';
import { describeWith, newStage } from './stage/agents.ts';
import { onlyOutput, startGroup } from './stage/group-run.ts';
import { cliMember } from './stage/harness.ts';

const wires = { claude: 'anthropic', codex: 'responses', gemini: 'gemini' } as const;

describeWith(['claude', 'codex', 'gemini'], 'from one vendor to another', () => {
  const cases: readonly (readonly [keyof typeof wires, AgentName, number, string])[] = [
    ['claude', 'codex', 529, 'overloaded'],
    ['codex', 'gemini', 529, 'overloaded'],
    ['gemini', 'claude', 529, 'overloaded'],
    ['claude', 'gemini', 401, 'auth'],
  ];

  test.each(cases)('%s → %s on %i (%s)', async (first, second, status, failure) => {
    const stage = await newStage();
    const steps = [
      { error: status, message: `no ${first} now`, wire: wires[first] },
      { text: `here speaks ${second}` },
    ];
    const group = await startGroup(stage, {
      members: [{ id: 'ann', harness: first, prompt: scripted(steps), fallback: { [failure]: [second] } }],
      harnesses: Object.fromEntries([first, second].map((name) => [name, cliMember(stage, name, { retries: 0 })])),
    });
    expect(onlyOutput(await group.output)).toBe(`here speaks ${second}`);
    const [failed, ...others] = await group.entries('attempt.failed');
    expect(others).toEqual([]);
    expect(failed).toMatchObject({ attempt: 1, class: failure });
    const harnesses = (await group.entries('attempt.started')).map(({ attempt, harness }) => [attempt, harness]);
    expect(harnesses).toEqual([
      [1, first],
      [2, second],
    ]);
    // The second begins anew: it does not know the first one's session.
    const sessions = (await group.entries('attempt.session')).map(({ session }) => session);
    expect(new Set(sessions).size).toBeGreaterThan(1);
    expect(await stage.settled()).toEqual([]);
  });

  test('an agent that tries again by itself is told as progress, and succeeds', async () => {
    const stage = await newStage();
    const steps = [{ error: 529, times: 1 }, { text: 'second try' }];
    const group = await startGroup(stage, {
      members: [{ id: 'ann', harness: 'claude', prompt: scripted(steps) }],
      harnesses: { claude: cliMember(stage, 'claude') },
    });
    expect(onlyOutput(await group.output)).toBe('second try');
    expect(await group.entries('attempt.failed')).toEqual([]);
    expect(JSON.stringify(await group.entries('member.progress'))).toMatch(/tries again \(1, overloaded\)/);
  });
});
