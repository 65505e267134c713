/** Two hosts and one run: exactly one writes, a dead one is replaced at once, and a stopped one that was replaced is fenced off. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { JournalNotice } from '../../src/index.ts';
import { livingOf } from './living.ts';
import { play, type PlayOptions } from './play.ts';
import { undisturbedRun, type Undisturbed } from './undisturbed.ts';

/** What to do. */
export interface TwoHostsOptions extends PlayOptions {
  readonly rounds: number;
}

/** From the kill to the first append of the next host, its start from nothing included, ms. */
const takeOverMsMax = 1_000;

const repeat = (rounds: number) => Array.from({ length: rounds }, (_, index) => index + 1);

/** Long enough for both to meet. */
const raceWork = 'sleep 0.25';

/** Two hosts start together: one drives the run, the other is told who has it and since when. */
async function race(options: TwoHostsOptions, round: number, normal: Undisturbed): Promise<void> {
  await play(options, `race-${round}`, raceWork, async (scene) => {
    const hosts = [scene.start(), scene.start()];
    const ends = await Promise.all(hosts.map(({ ended }) => ended));
    const said = JSON.stringify(scene.said().filter(({ type }) => type !== 'acknowledged'));
    const stderr = ends.map((end) => end.stderr).join('');
    assert.deepEqual(
      ends.map(({ code }) => code ?? -1).toSorted((a, b) => a - b),
      [0, 3],
      `exit codes; they said ${said} ${stderr}`,
    );
    const winner = hosts[ends.findIndex(({ code }) => code === 0)];
    const refused = scene.said().find((one) => one.type === 'error');
    assert.ok(refused?.type === 'error' && winner !== undefined);
    assert.equal(refused.code, 'RUN_BUSY');
    assert.match(refused.message, new RegExp(`held by process ${winner.pid} on .+ since \\d{4}-\\d\\d-\\d\\dT`));
    const places = scene.said().flatMap((one) => (one.type === 'acknowledged' ? [`${one.stream}:${one.seq}`] : []));
    assert.equal(new Set(places).size, places.length, 'an entry was acknowledged twice');
    await scene.checkSame(normal);
  });
}

/** A host is killed, another is started at once; resolves to the ms from the kill to its first acknowledged append. */
async function takeOver(options: TwoHostsOptions, round: number, normal: Undisturbed): Promise<number> {
  let tookMs = Number.NaN;
  await play(options, `take-over-${round}`, undefined, async (scene) => {
    const first = scene.start();
    await scene.acknowledged(8 + round, first);
    const killedAt = Date.now();
    first.kill('SIGKILL');
    // Started before the kill has been seen through: the system may still be clearing the old one away.
    const second = scene.start();
    await first.ended;
    const isLong = round % 5 === 0;
    await scene.acknowledged(scene.said().length + 1, second);
    if (!isLong) second.kill('SIGKILL');
    const { code, stderr } = await second.ended;
    const next = scene.said().find((one) => one.type === 'acknowledged' && one.epoch === 2);
    assert.ok(
      next?.type === 'acknowledged',
      `the second host failed: ${stderr} ${JSON.stringify(scene.said().at(-1))}`,
    );
    tookMs = next.at - killedAt;
    if (isLong) {
      assert.equal(code, 0, stderr);
      await scene.checkSame(normal);
    } else {
      await scene.check();
    }
  });
  return tookMs;
}

/** At the first try everybody takes long, save one member; at the second nobody does. */
const stoppedWork = '[ -e "$0.second" ] || case $TROUPE_MEMBER in nap-20) sleep 0.3;; *) sleep 60;; esac';

/**
 * A host is stopped by SIGSTOP and replaced by one that cannot look at it. Continued, it learns from its next append that it was
 * replaced. Resolves to the bytes it wrote too late.
 */
async function fenced(options: TwoHostsOptions, round: number, normal: Undisturbed): Promise<number> {
  let staleBytes = 0;
  await play(options, `fenced-${round}`, stoppedWork, async (scene) => {
    const first = scene.start({ leaseTtlMs: 300 });
    // Both groups and the task have begun, and the members of `build` are under way.
    await scene.acknowledged(14, first);
    first.kill('SIGSTOP');
    writeFileSync(scene.flag, '');
    const second = scene.start({ foreignAfterMs: 300 });
    if (round % 2 === 0) {
      const { code, stderr } = await second.ended;
      assert.equal(code, 0, `the second host failed: ${stderr} ${JSON.stringify(scene.said().at(-1))}`);
    } else {
      await scene.acknowledged(scene.said().length + 4, second);
    }
    first.kill('SIGCONT');
    const { code, stderr } = await first.ended;
    assert.equal(code, 5, stderr);
    const error = scene.said().find((one) => one.type === 'error');
    assert.ok(error?.type === 'error', `the stopped host said nothing: ${stderr}`);
    assert.equal(error.code, 'EPOCH_STALE', error.message);
    assert.match(error.message, /another host has taken the run/);
    assert.deepEqual(
      livingOf(`${scene.run}/`).filter(({ hostPid }) => hostPid === first.pid),
      [],
      'the stopped host left children',
    );
    assert.equal((await second.ended).code, 0);
    const stale = scene.said().filter((one) => one.type === 'acknowledged' && one.epoch === 1);
    assert.ok(stale.length > 0);
    await scene.checkSame(normal);
    const journal = await scene.store.open(scene.run);
    for await (const _ of journal.read());
    const notices: readonly JournalNotice[] = journal.notices();
    await journal.close();
    staleBytes = notices.reduce((bytes, { kind, bytes: more = 0 }) => bytes + (kind === 'stale-writes' ? more : 0), 0);
  });
  return staleBytes;
}

/** All three; returns what was found in one line. */
export async function twoHosts(options: TwoHostsOptions): Promise<string> {
  const { rounds } = options;
  const racing = await undisturbedRun({ ...options, work: raceWork });
  // Few at a time: their hosts must meet.
  for (let round = 1; round <= rounds; round += 4) {
    await Promise.all(repeat(Math.min(4, rounds - round + 1)).map((index) => race(options, round + index - 1, racing)));
  }

  const normal = await undisturbedRun(options);
  const times: number[] = [];
  let again = 0;
  for (const round of repeat(rounds)) {
    let tookMs = await takeOver(options, round, normal);
    // Starting node alone takes longer than that on a machine that is busy with something else: once more then.
    if (tookMs >= takeOverMsMax) {
      again += 1;
      tookMs = await takeOver(options, round + rounds, normal);
    }
    times.push(tookMs);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const max = sorted.at(-1) ?? 0;
  assert.ok(
    max < takeOverMsMax,
    `a take-over took ${max} ms, expected less than ${takeOverMsMax} (all: ${sorted.join(', ')})`,
  );

  const stopped = await undisturbedRun({ ...options, work: stoppedWork });
  const fencedRounds = Math.max(2, Math.floor(rounds / 4));
  let staleBytes = 0;
  for (const round of repeat(fencedRounds)) staleBytes += await fenced(options, round, stopped);
  const median = sorted[Math.floor(sorted.length / 2)];
  return `${rounds} races, one writer each; ${rounds} take-overs, kill to first append ${median} ms median, ${max} ms at most${again > 0 ? ` (${again} measured again)` : ''}; ${fencedRounds} stopped hosts fenced off, ${staleBytes} bytes too late`;
}
