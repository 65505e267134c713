/**
 * The council of three vendors, as a user runs it: one group, one journal, real programs. One agent is killed, then the host, both
 * with SIGKILL; another host goes on. Nothing is lost, nothing comes twice, and nothing is left running.
 */
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { textOf } from './model/question.ts';
import { scripted } from './model/script.ts';
import { describeWith, newStage } from './stage/agents.ts';
import { followRun } from './stage/follow-run.ts';
import type { Stage } from './stage/stage.ts';
import { startTroupe, type Variables } from './stage/troupe.ts';

const file = fileURLToPath(new URL('../../machines/examples/agent-council.process.ts', import.meta.url));
const seats = ['claude', 'codex', 'gemini'] as const;
type Seat = (typeof seats)[number];

/** What the models do: tell the others, hear them, mark it; then claude is done, codex waits to be told to go on, gemini for codex. */
function promptOf(seat: Seat): string {
  const others = seats.filter((one) => one !== seat);
  const waitFor = (...texts: readonly string[]) => ({
    tool: 'group_inbox',
    args: { wait_ms: 20_000 },
    until: texts,
    max: 1_000,
  });
  const found = { to: '*', type: 'finding', body: { text: `${seat} has found something` }, key: 'found' };
  const more = {
    claude: [],
    codex: [
      // Killed here: in the middle of a tool.
      { tool: 'group_inbox', args: { wait_ms: 20_000 } },
      // And here it does not hear that its host is killed: it waits for its model.
      { error: 500, times: 1, wait: 60_000 },
      waitFor('go on'),
      { tool: 'group_send', args: { to: 'gemini', type: 'finding', body: 'codex is back', key: 'back' } },
      { tool: 'group_checkpoint', args: { name: 'codex is back' } },
    ],
    gemini: [waitFor('codex is back')],
  };
  return scripted([
    { tool: 'group_send', args: found },
    waitFor(...others.map((one) => `${one} has found`)),
    { tool: 'group_checkpoint', args: { name: `${seat} has heard the others` } },
    ...more[seat],
    { echo: true },
  ]);
}

/** `troupe` as a user has it who has these agents. */
function troupe(stage: Stage, ...args: readonly string[]) {
  return startTroupe(stage, Object.assign({}, ...seats.map((seat) => stage.reach(seat).env)) as Variables, args);
}

describeWith(seats, 'Claude Code, Codex and Gemini CLI in one group', () => {
  test('talk, lose one of them, lose their host, and come to an end', { timeout: 90_000 }, async () => {
    const stage = await newStage();
    const prompts = Object.fromEntries(seats.map((seat) => [seat, promptOf(seat)]));
    const input = JSON.stringify({ prompts });
    const startedMs = performance.now();
    const secondsSince = () => (performance.now() - startedMs) / 1_000;
    const told: string[] = [];
    const tell = (what: string) => told.push(`${secondsSince().toFixed(1)} s ${what}`);

    const first = troupe(stage, 'run', file, '--run-id', 'council', '--input', input);
    const run = followRun(stage, 'council', () => told.join('; '));
    for (const seat of seats) await run.until('checkpoint', ({ name }) => name === `${seat} has heard the others`);
    await run.until('member.settled', ({ member }) => member === 'claude');
    tell('all have heard the others, claude is done');

    // One of them dies in the middle of a tool.
    const codexes = () => stage.survivors().filter(({ command }) => /\/codex\b.* exec /.test(command));
    const asksFor = (step: number) => stage.model.requests.some((one) => one.wire === 'responses' && one.step === step);
    await expect.poll(() => asksFor(3), { timeout: 20_000, interval: 10 }).toBe(true);
    // The model has said it; a moment later the tool is at work.
    await delay(150);
    expect(codexes().length).toBeGreaterThan(0);
    for (const { pid } of codexes()) process.kill(pid, 'SIGKILL');
    await run.until('attempt.failed', ({ member, class: how }) => member === 'codex' && how === 'crashed');
    await run.until('attempt.started', ({ member, attempt }) => member === 'codex' && attempt === 2);
    await expect.poll(() => asksFor(4), { timeout: 20_000, interval: 10 }).toBe(true);
    tell('codex was killed and has gone on');

    // Then everybody's host. What it leaves behind is ended before another attempt begins.
    first.child.kill('SIGKILL');
    await first.ended;
    const orphans = codexes().map(({ pid }) => pid);
    expect(orphans.length).toBeGreaterThan(0);
    const second = troupe(stage, 'run', file, '--run-id', 'council', '--input', input, '--json');
    await run.until('attempt.started', ({ member, attempt }) => member === 'codex' && attempt === 3);
    expect(stage.survivors().filter(({ pid }) => orphans.includes(pid))).toEqual([]);
    tell('the host was killed, another one goes on');

    const sent = await troupe(stage, 'send', 'council', 'council', 'codex', 'go on').ended;
    expect(sent, sent.stderr).toMatchObject({ code: 0 });
    const end = await second.ended;
    tell('over');
    expect(end.code, end.stderr + end.stdout).toBe(0);
    const took = secondsSince();
    expect(await stage.settled()).toEqual([]);

    // The journal proves itself.
    const verified = await troupe(stage, 'verify', 'council').ended;
    expect(verified, verified.stdout + verified.stderr).toMatchObject({ code: 0 });

    // Every message is one entry, and has reached whom it was for.
    const messages = await run.entries('message');
    const said = messages.map(({ from, to, body }) => `${textOf(from)} → ${textOf(to)}: ${JSON.stringify(body)}`);
    expect(said.toSorted((one, other) => one.localeCompare(other))).toEqual(
      [
        ...seats.flatMap((from) =>
          seats.flatMap((to) => (to === from ? [] : [`${from} → ${to}: {"text":"${from} has found something"}`])),
        ),
        'codex → gemini: "codex is back"',
        'outside → codex: "go on"',
      ].toSorted((one, other) => one.localeCompare(other)),
    );
    // An attempt that goes on for another hears again what that one has read: the same letter, by its id.
    const read = (await run.entries('message.read')).flatMap(({ member, attempt, ids }) =>
      (ids as readonly string[]).map((id) => ({
        attempt: `${textOf(member)} ${textOf(attempt)} ${id}`,
        whose: `${textOf(member)} ${id}`,
      })),
    );
    expect(new Set(read.map(({ attempt }) => attempt)).size).toBe(read.length);
    expect(new Set(read.map(({ whose }) => whose))).toEqual(
      new Set(messages.map(({ to, id }) => `${textOf(to)} ${textOf(id)}`)),
    );
    expect(new Set(messages.map(({ id, to }) => `${textOf(to)} ${textOf(id)}`)).size).toBe(messages.length);
    expect(await run.entries('letter.dead')).toEqual([]);
    expect((await run.entries('checkpoint')).map(({ name, by }) => (by === undefined ? 'fan-out' : name))).toEqual(
      expect.arrayContaining([...seats.map((seat) => `${seat} has heard the others`), 'codex is back']),
    );

    // Nobody settled twice, who had settled was not asked again, and the others went on in their sessions.
    expect((await run.entries('member.settled')).map(({ member }) => member)).toHaveLength(3);
    const attempts = (await run.entries('attempt.started')).map(
      ({ member, attempt }) => `${textOf(member)} ${textOf(attempt)}`,
    );
    expect(new Set(attempts)).toEqual(new Set(['claude 1', 'codex 1', 'codex 2', 'codex 3', 'gemini 1', 'gemini 2']));
    for (const seat of ['codex', 'gemini']) {
      const sessions = (await run.entries('attempt.session')).filter(({ member }) => member === seat);
      expect(new Set(sessions.map(({ session }) => session)).size, seat).toBe(1);
    }

    // From inside the models' view: each has heard what was said to it.
    const last = JSON.parse(end.stdout.trimEnd().split('\n').at(-1) ?? '') as {
      readonly run: { readonly output: { readonly verdicts: Readonly<Record<Seat, string>> } };
    };
    const { verdicts } = last.run.output;
    for (const other of ['codex', 'gemini'])
      expect(verdicts.claude.split(`${other} has found something`)).toHaveLength(2);
    expect(verdicts.codex).toContain('go on');
    expect(verdicts.gemini).toContain('codex is back');

    console.log(`council: ${told.join('; ')}`);
    // Of a machine that has more to do than it can, each gets its share.
    const share = Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
    expect(took).toBeLessThan(15 * share);
  });
});
