/** Kill anywhere: hosts are killed with SIGKILL at random moments, started again, and what must hold is checked after each kill. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostProcess } from './host-process.ts';
import { endAllOf } from './living.ts';
import type { Death } from './mortal.ts';
import type { Program } from './program.ts';
import { randomOf, type Random } from '../../src/check/simulation/random.ts';
import { sceneOf, type Scene } from './scene.ts';
import { undisturbedRun, type Undisturbed } from './undisturbed.ts';

/** What to do. */
export interface KillOptions {
  readonly program: Program;
  /** A folder for the runs' folders; each is removed when its run has passed. */
  readonly folder: string;
  readonly seed: string;
  /** Kills in all. */
  readonly kills: number;
  /** Runs at once. */
  readonly parallel: number;
  /** Only the run of this number. */
  readonly only?: number | undefined;
}

/** What was done. */
export interface KillReport {
  readonly kills: number;
  readonly runs: number;
  readonly starts: number;
  /** Kills by what triggered them. */
  readonly byTrigger: Readonly<Record<string, number>>;
  /** Acknowledged entries that were compared. */
  readonly acknowledged: number;
}

/** A kill to come. */
type Plan =
  | { readonly type: 'delay'; readonly share: number }
  | { readonly type: 'growth'; readonly share: number }
  /** Told to stop, and killed so many ms later. */
  | { readonly type: 'stopping'; readonly share: number; readonly afterMs: number }
  | { readonly type: 'inside'; readonly death: Death };

const killsPerRunMax = 12;

const reach: Readonly<Record<Death['at'], number>> = {
  acknowledge: 40,
  call: 220,
  perform: 10,
  replayed: 30,
  snapshot: 30,
  sweep: 5,
};

function planOf(random: Random): Plan {
  const kind = random.next();
  if (kind < 0.3) return { type: 'delay', share: random.next() };
  if (kind < 0.4) return { type: 'stopping', share: random.next(), afterMs: random.below(80) };
  if (kind < 0.65) return { type: 'growth', share: random.next() };
  const at = random.pick([
    'acknowledge',
    'acknowledge',
    'call',
    'call',
    'perform',
    'replayed',
    'snapshot',
    'sweep',
    'sweep',
  ] as const);
  const when = random.pick(
    at === 'call' || at === 'snapshot' ? (['before', 'after', 'torn'] as const) : (['before', 'after'] as const),
  );
  return {
    type: 'inside',
    death: { at, when, count: 1 + random.below(random.next() < 0.5 ? reach[at] : reach[at] / 4) },
  };
}

/** Kills the host as planned, unless it ends before. */
async function disturb(scene: Scene, host: HostProcess, plan: Plan, normal: Undisturbed): Promise<void> {
  const wait = async (ms: number) => {
    const patience = new AbortController();
    const waited = delay(ms, undefined, { signal: patience.signal }).catch(() => {});
    await Promise.race([waited, host.ended]);
    patience.abort();
  };
  if (plan.type === 'delay' || plan.type === 'stopping') {
    await wait(plan.share * normal.tookMs);
    if (plan.type === 'stopping') {
      host.kill('SIGTERM');
      await wait(plan.afterMs);
    }
    host.kill('SIGKILL');
  } else if (plan.type === 'growth') {
    const target = scene.logBytes() + 1 + plan.share * normal.bytes * 0.5;
    while (host.isAlive() && scene.logBytes() < target) await delay(1);
    host.kill('SIGKILL');
  }
}

/** Kills hosts until `kills` have been killed, then lets every run end. Rejects with what did not hold, and how to do it again. */
export async function killAnywhere(options: KillOptions): Promise<KillReport> {
  const { program, seed, kills: killsMax, parallel, only } = options;
  const normal = await undisturbedRun(options);
  const byTrigger: Record<string, number> = {};
  let kills = 0;
  let planned = 0;
  let runs = 0;
  let starts = 0;
  let acknowledged = 0;
  let failed = false;

  const oneRun = async (number: number): Promise<void> => {
    const run = `chaos-${process.pid}-${number}`;
    const random = randomOf(`${seed}/${number}`);
    const orders = { snapshotEvery: random.pick([1, 3, 8]), segmentBytesMax: random.pick([2_000, 20_000, 2 ** 26]) };
    const scene = sceneOf({ program, folder: join(options.folder, run), run, orders });
    const plans = Array.from({ length: 3 + random.below(killsPerRunMax - 2) }, () => planOf(random));
    let doing = 'nothing';
    try {
      for (;;) {
        const plan = planned < killsMax ? plans.shift() : undefined;
        if (plan !== undefined) planned += 1;
        const epoch = scene.epoch();
        const lines = scene.said().length;
        starts += 1;
        doing = `start ${starts} ${JSON.stringify(plan ?? 'to the end')}`;
        const host = scene.start(plan?.type === 'inside' ? { death: plan.death } : {});
        if (plan !== undefined) await disturb(scene, host, plan, normal);
        const { code, signal, stderr } = await host.ended;
        if (signal === 'SIGKILL') {
          kills += 1;
          const trigger = plan?.type === 'inside' ? plan.death.at : (plan?.type ?? 'none');
          byTrigger[trigger] = (byTrigger[trigger] ?? 0) + 1;
        } else {
          if (plan !== undefined) planned -= 1;
          // A signal that comes before node is up ends it; later it stops the run (code 4).
          const hasStopped = plan?.type === 'stopping' && (signal === 'SIGTERM' || code === 4);
          assert.ok(code === 0 || hasStopped, `the host failed: ${stderr} ${JSON.stringify(scene.said().at(-1))}`);
        }
        for (const line of scene.said().slice(lines)) {
          if (line.type === 'acknowledged')
            assert.equal(line.epoch, epoch + 1, 'an epoch is one more than the one before');
        }
        assert.ok(scene.epoch() <= epoch + 1, 'one host takes one epoch');
        if (code === 0) break;
        await scene.check();
      }
      await scene.checkSame(normal);
      acknowledged += scene.said().filter(({ type }) => type === 'acknowledged').length;
      runs += 1;
      scene.remove();
    } catch (error) {
      failed = true;
      endAllOf(`${run}/`);
      throw new Error(
        `run ${number}, ${doing}: ${error instanceof Error ? error.message : String(error)}\n  kept: ${scene.folder}\n  again: TROUPE_SEED=${seed} TROUPE_RUN=${number} TROUPE_KILLS=${killsMax} npm run test:chaos -- kill`,
        { cause: error },
      );
    }
  };

  let next = 0;
  const work = async () => {
    while (kills < killsMax && !failed) {
      const number = next;
      next += 1;
      await oneRun(number);
    }
  };
  if (only !== undefined) await oneRun(only);
  else {
    const results = await Promise.allSettled(Array.from({ length: parallel }, work));
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
    if (errors[0] !== undefined) throw errors[0];
  }
  return { kills, runs, starts, byTrigger, acknowledged };
}
