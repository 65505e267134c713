/** The harness of random plays: members that succeed, fail, stall, talk, die and come late, as their input says. */
import { isTroupeError, type Harness, type Letter, type Outcome } from 'troupe';
import type { FaultyFileSystem } from '../../src/journal/index.ts';
import type { Random } from '../../src/check/simulation/random.ts';
import type { VirtualClock } from '../../src/check/simulation/virtual-clock.ts';
import type { Part } from './random-parts.ts';

/** What a play's hosts have in common. */
export interface PlayStage {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** What attempts read: by host and key of the attempt, the ids in order. */
  readonly reads: Map<string, string[]>;
  /** Letters whose sender was told that they are durable: JSON of [group, to, id]. */
  readonly posted: Set<string>;
  /** What should not have been thrown. */
  readonly troubles: string[];
}

/** A letter that is known again by its body. */
export const letterTo = (to: string, id: string): Letter & { readonly id: string } => ({
  to,
  type: 'told',
  body: id,
  id,
});

/** What performs the members of one host. */
export function harnessOf(
  { clock, random, reads, posted, troubles }: PlayStage,
  fs: FaultyFileSystem,
  host: number,
): Harness {
  const sleep = (ms: number, signal: AbortSignal | undefined) =>
    new Promise<void>((resolve) => {
      clock.wakeAt(clock.now() + ms, resolve);
      signal?.addEventListener('abort', () => resolve());
    });
  return {
    async perform({ group, member, key, attempt, invocation, signal, mailbox }): Promise<Outcome> {
      const { does, ms, says, listensMs } = invocation.input as unknown as Part;
      try {
        for (const [index, to] of says.entries()) {
          // The same of each attempt: one message, however often it is sent.
          const id = `${group}/${member}:${index}`;
          await mailbox.send(letterTo(to, id));
          if (!fs.crashed() && to !== '*') posted.add(JSON.stringify([group, to, id]));
        }
        const read = reads.get(`${host} ${key}`) ?? [];
        reads.set(`${host} ${key}`, read);
        for (const { id } of await mailbox.inbox({ waitMs: listensMs })) read.push(id);
        for (const { id } of await mailbox.inbox({ max: 1 })) read.push(id);
      } catch (error) {
        if (!isTroupeError(error) && !fs.crashed()) troubles.push(`${key}: ${String(error)}`);
      }
      await sleep(ms, does === 'late' ? undefined : signal);
      if (does === 'stall')
        await new Promise<void>((resolve) =>
          signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve()),
        );
      if (does === 'late' && signal.aborted) await sleep(30, undefined);
      if (does === 'die') throw new Error('died');
      if (signal.aborted && does !== 'late') return { status: 'cancelled', reason: 'told to' };
      if (does === 'fail')
        return {
          status: 'error',
          class: random.below(2) === 0 ? 'failed' : 'crashed',
          error: { name: 'E', message: 'no' },
        };
      return { status: 'ok', output: `${member} ${attempt}` };
    },
  };
}
