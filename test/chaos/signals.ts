/** SIGINT and SIGTERM: the first stops the run so that it goes on later, the second ends everything at once. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { livingOf } from './living.ts';
import { play, type PlayOptions } from './play.ts';
import type { Scene } from './scene.ts';
import { undisturbedRun } from './undisturbed.ts';

/** At the first try nobody ends when asked to, and everybody has a child that left the group. */
const deafWork = '[ -e "$0.second" ] || { trap "" INT TERM; setsid sleep 60 > /dev/null 2>&1 & sleep 60; }';

/** Both signals, once and twice; returns what was found in one line. */
export async function signals(options: PlayOptions): Promise<string> {
  const normal = await undisturbedRun(options);
  let stopMsMax = 0;
  const once = async (signal: NodeJS.Signals, index: number) => {
    let hasHeard = false;
    const act = async (scene: Scene) => {
      const first = scene.start();
      await scene.acknowledged(6 + index * 12, first);
      const toldAt = Date.now();
      first.kill(signal);
      const { code, stderr, at } = await first.ended;
      // On a busy machine the run may be over before the signal comes.
      if (code === 0) return;
      assert.equal(code, 4, stderr);
      hasHeard = true;
      stopMsMax = Math.max(stopMsMax, at - toldAt);
      assert.deepEqual(livingOf(`${scene.run}/`), [], 'processes outlive a host that was stopped');
      const leases = readdirSync(join(scene.dir, 'runs', scene.run, 'lease')).filter((name) => /^\d/.test(name));
      assert.deepEqual(leases, ['000001.free.json'], 'the lease is given back');
      await scene.check();
      const second = await scene.start().ended;
      assert.equal(second.code, 0, second.stderr);
      assert.equal(scene.epoch(), 2);
      await scene.checkSame(normal);
    };
    for (let time = 1; time <= 5 && !hasHeard; time += 1)
      await play(options, `${signal}-${index}-${time}`, undefined, act);
    assert.ok(hasHeard, `${signal}: five runs were over before they heard it`);
  };
  await Promise.all((['SIGINT', 'SIGTERM', 'SIGINT', 'SIGTERM'] as const).map(once));

  const deaf = await undisturbedRun({ ...options, work: deafWork });
  let exitMsMax = 0;
  const twice = (signal: NodeJS.Signals) =>
    play(options, `${signal}-twice`, deafWork, async (scene) => {
      const first = scene.start();
      await scene.acknowledged(14, first);
      const side = `${scene.folder}/side`;
      while (first.isAlive() && !existsSync(side)) await delay(2);
      first.kill(signal);
      await delay(100);
      assert.ok(first.isAlive(), 'the host waits for those who do not hear');
      const toldAt = Date.now();
      first.kill(signal);
      const { code, at } = await first.ended;
      assert.equal(code, 130);
      exitMsMax = Math.max(exitMsMax, at - toldAt);
      // What was killed may take a moment to be gone.
      while (livingOf(`${scene.run}/`).length > 0 && Date.now() < at + 2_000) await delay(5);
      assert.deepEqual(livingOf(`${scene.run}/`), [], 'processes outlive a host that was stopped at once');
      await scene.check();
      writeFileSync(scene.flag, '');
      const second = await scene.start().ended;
      assert.equal(second.code, 0, second.stderr);
      await scene.checkSame(deaf);
    });
  await Promise.all((['SIGINT', 'SIGTERM'] as const).map(twice));
  assert.ok(exitMsMax < 1_000, `a second signal took ${exitMsMax} ms, expected less than 1,000`);
  return `4 runs stopped (${stopMsMax} ms at most) and gone on with; 2 ended at once by a second signal (${exitMsMax} ms at most)`;
}
