/**
 * Where two runs part. They are laid side by side lane by lane (a lane is one actor of one group, or the process), so that another
 * interleaving of actors that know nothing of each other is no difference; of the lanes that part, the one comes first that parts
 * first in the one run.
 */
import { pairKey, pairOf } from './key.ts';
import type { Frame } from './model.ts';

/** Where a lane parts. */
export interface Divergence {
  readonly stream: string;
  readonly who: string;
  /** Positions in either run; undefined in the one that ends there. */
  readonly one: number | undefined;
  readonly other: number | undefined;
  /** What stands there, in words. */
  readonly oneSays: string;
  readonly otherSays: string;
}

/** What of a frame is compared: not when, not in which place, nor by whose ids. */
export interface Compared {
  readonly position: number;
  readonly key: string;
  readonly says: string;
}

/** Lanes of a run, each as a list of what is compared. */
export type Lanes = ReadonlyMap<string, readonly Compared[]>;

/** Entries that say how a run went in time, or about its hosts: two runs that do the same differ in them. */
const passing = new Set([
  'attempt.queued',
  'attempt.session',
  'check.loop',
  'check.properties',
  'epoch.taken',
  'journal.repaired',
  'log',
  'member.progress',
  'message.read',
  'run.created',
]);

/** Collects lanes, frame by frame. */
export function lanesFrom(): { add(frames: readonly Frame[]): void; readonly lanes: Lanes } {
  const lanes = new Map<string, Compared[]>();
  return {
    lanes,
    add(frames) {
      for (const { position, stream, who, type, summary, deliveries } of frames) {
        if (passing.has(type)) continue;
        const lane = pairKey(stream, type === 'message' || type === 'signal' ? '' : who);
        const heard = deliveries.map(({ from, to, type: event }) => `${from}>${to} ${event}`).join(' ');
        const entry: Compared = { position, key: `${type} ${plainOf(summary)} ${heard}`, says: `${type} ${summary}` };
        const known = lanes.get(lane);
        if (known === undefined) lanes.set(lane, [entry]);
        else known.push(entry);
      }
    },
  };
}

/** Ids that are made of digests, times and durations say nothing of what was done. */
const plainOf = (summary: string) =>
  summary
    .replaceAll(/\b[0-9a-f]{8,}\b/g, '#')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '#')
    .replaceAll(/\b\d+(\.\d+)? ?(ms|s)\b/g, '#');

/** Where each lane parts, the earliest first; empty when the runs do the same. */
export function divergences(one: Lanes, other: Lanes): readonly Divergence[] {
  const found: Divergence[] = [];
  for (const lane of new Set([...one.keys(), ...other.keys()])) {
    const a = one.get(lane) ?? [];
    const b = other.get(lane) ?? [];
    let index = 0;
    while (index < a.length && index < b.length && a[index]?.key === b[index]?.key) index += 1;
    if (index === a.length && index === b.length) continue;
    const [stream, who] = pairOf(lane);
    found.push({
      stream,
      who,
      one: a[index]?.position,
      other: b[index]?.position,
      oneSays: a[index]?.says ?? 'nothing more',
      otherSays: b[index]?.says ?? 'nothing more',
    });
  }
  const at = ({ one: a, other: b }: Divergence) =>
    Math.min(a ?? Number.POSITIVE_INFINITY, b ?? Number.POSITIVE_INFINITY);
  return found.sort((a, b) => at(a) - at(b));
}
