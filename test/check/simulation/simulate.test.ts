/** Whole runs in a simulated world: the library's machines hold what they promise, whatever goes wrong; and a broken host is found. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { defineProcess, type JsonValue, type Process } from 'troupe';
import { fail, ok, simulate } from 'troupe/check';
import { fn } from 'troupe/harness';
import { escalation, fanOut } from 'troupe/machines';
import { scenes } from './scenes.ts';

const one = process.env['TROUPE_SIMULATION'];
const first = process.env['TROUPE_SEED'] ?? 'sim';
const seeds = Number(process.env['TROUPE_SIMULATIONS'] ?? 240);

/** One command that plays a seed again. */
const again = (name: string, seed: string) =>
  `TROUPE_SIMULATION='${name} ${seed}' npx vitest run test/check/simulation --project development`;

test(
  `${one ?? `${seeds} seeds`}: the library's machines, each in worlds where hosts die, disks fail, results are late and clocks are set`,
  async () => {
    const names = Object.keys(scenes);
    const plays =
      one === undefined
        ? Array.from(
            { length: seeds },
            (_, index) => [names[index % names.length] as string, `${first}-${index}`] as const,
          )
        : [[one.slice(0, one.indexOf(' ')), one.slice(one.indexOf(' ') + 1)] as const];
    const sums = { hosts: 0, killed: 0, diskErrors: 0, performed: 0, entries: 0 };
    const statuses = new Set<string>();
    for (const [name, seed] of plays) {
      const scene = scenes[name];
      if (scene === undefined) throw new Error(`there is no scene ${name}; there are ${names.join(', ')}`);
      try {
        const played = await simulate({ seed, ...scene.options });
        scene.holds(played);
        statuses.add(played.status);
        sums.hosts += played.hosts;
        sums.killed += played.killed;
        sums.diskErrors += played.diskErrors;
        sums.performed += played.performed;
        sums.entries += played.entries.length;
      } catch (error) {
        throw new Error(`${name}: ${(error as Error).message}\nagain: ${again(name, seed)}`, { cause: error });
      }
    }
    if (one !== undefined) return;
    // No empty worlds: all that may go wrong has.
    expect(sums.killed).toBeGreaterThan(seeds / 3);
    expect(sums.diskErrors).toBeGreaterThan(seeds / 10);
    expect(sums.performed).toBeGreaterThan(seeds * 2);
    expect(statuses).toEqual(new Set(['completed', 'failed']));
  },
  seeds * 2_000 + 60_000,
);

const three = defineProcess('three', async (ctx) => {
  const members = ['a', 'b', 'c'].map((id) => ({ id, retry: { attempts: 3 } }));
  const { results } = await ctx.group('work', fanOut, { members, concurrency: 2 }).output;
  return results.map(({ id }) => id);
}) as Process<never, unknown>;

test('the same seed gives the same world, entry by entry', async () => {
  const options = { seed: 'twice', process: three, faults: { kills: 4, diskErrors: 2 } };
  const [a, b] = [await simulate(options), await simulate(options)];
  expect(b).toEqual(a);
  expect((await simulate({ ...options, seed: 'else' })).entries).not.toEqual(a.entries);
});

test('also where somebody comes by later and answers a gate', async () => {
  const asking = defineProcess('asking', async (ctx) => {
    const { approved } = await ctx.breakpoint('ship', { question: 'Ship it?' });
    const group = ctx.group('human', escalation, { levels: [{ id: 'human', gate: { question: 'And this?' } }] });
    return [approved, (await group.output).accepted];
  });
  const options = { seed: 'asked', process: asking, faults: { kills: 0, diskErrors: 0 } };
  const [a, b] = [await simulate(options), await simulate(options)];
  expect(a).toMatchObject({ status: 'completed' });
  expect(a.entries.filter(({ type }) => type === 'gate.answered')).toHaveLength(2);
  expect(b).toEqual(a);
});

test('a result is decided by the attempt alone: without failures the output is as in a world where nothing goes wrong', async () => {
  const outcome = () => ok(1);
  const calm = await simulate({
    seed: 'calm',
    process: three,
    outcome,
    faults: { kills: 0, diskErrors: 0, clockJumpMs: 0 },
  });
  expect(calm).toMatchObject({ status: 'completed', output: ['a', 'b', 'c'], killed: 0, hosts: 1 });
  for (let index = 0; index < 12; index += 1) {
    const stormy = await simulate({
      seed: `storm-${index}`,
      process: three,
      outcome,
      faults: { kills: 5, diskErrors: 3 },
    });
    expect(stormy, `storm-${index}`).toMatchObject({ status: 'completed' });
    expect([...(stormy.output as string[])].sort()).toEqual(['a', 'b', 'c']);
  }
});

test('a process that decides by chance is found, with its seed', async () => {
  let call = 0;
  const fickle = defineProcess('fickle', async (ctx) => {
    call += 1;
    const members = [{ id: call % 2 === 0 ? 'even' : 'odd' }];
    await ctx.group('work', fanOut, { members }).output;
    return 1;
  }) as Process<never, unknown>;
  const plays = Array.from({ length: 8 }, (_, index) =>
    simulate({ seed: `fickle-${index}`, process: fickle, faults: { kills: 4 } }),
  );
  const ends = await Promise.allSettled(plays);
  const found = ends.flatMap((end) => (end.status === 'rejected' ? [(end.reason as Error).message] : []));
  expect(found.length).toBeGreaterThan(0);
  for (const message of found) expect(message).toMatch(/simulation with seed `fickle-\d`: .*group `work`/s);
});

test('a long sleep is slept to its end, whatever goes wrong meanwhile', async () => {
  const sleeper = defineProcess('sleeper', async (ctx) => {
    await ctx.sleepUntil(ctx.now() + 86_400_000);
    await ctx.group('work', fanOut, { members: [{ id: 'a', retry: { attempts: 9 } }] }).output;
    return 'awake';
  }) as Process<never, unknown>;
  for (let index = 0; index < 4; index += 1) {
    const slept = await simulate({ seed: `sleep-${index}`, process: sleeper, outcome: () => ok(1) });
    expect(slept, `sleep-${index}`).toMatchObject({ status: 'completed', output: 'awake' });
  }
});

test('what never comes to rest is given up, too', async () => {
  let rounds = 0;
  const restless = defineProcess('restless', async (ctx) => {
    for (let round = 0; ; round += 1) {
      rounds = Math.max(rounds, round);
      await ctx.task(`task ${round}`, { harness: 'now' });
    }
  }) as Process<never, unknown>;
  const options = { harnesses: { now: fn(() => Promise.resolve(1)) } };
  const playing = simulate({ seed: 'restless', process: restless, faults: { kills: 0 }, entriesMax: 200, options });
  await expect(playing).rejects.toThrow(/LIMIT: simulation with seed `restless`: the run has more than 200 entries/);
  const reached = rounds;
  await delay(50);
  expect(rounds).toBe(reached);
});

test('what never ends is given up, with its seed', async () => {
  const endless = defineProcess('endless', async (ctx) => {
    const members = [{ id: 'again', retry: { attempts: 100, minMs: 1, maxMs: 1 } }];
    for (let round = 0; ; round += 1) await ctx.group(`work ${round}`, fanOut, { members }).output;
  }) as Process<never, unknown>;
  const outcome = () => fail('crashed', 'always');
  await expect(simulate({ seed: 'endless', process: endless, outcome, entriesMax: 500 })).rejects.toThrow(
    /LIMIT: simulation with seed `endless`: the run has more than 500 entries/,
  );
});

test('a gate that nobody answers is what a run waits for; answered, it goes on', async () => {
  const asking = defineProcess(
    'asking',
    async (ctx) => (await ctx.breakpoint('go', { question: 'Go on?' })).approved,
  ) as Process<never, unknown>;
  const yes = await simulate({ seed: 'gate', process: asking, answer: () => true });
  expect(yes).toMatchObject({ status: 'completed', output: true });
  const no = await simulate({ seed: 'gate', process: asking, answer: () => false });
  expect(no).toMatchObject({ status: 'completed', output: false as JsonValue });
});
