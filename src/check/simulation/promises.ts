/** What every run promises, whatever went wrong: looked for in the journal that a simulation left. */
import type { GroupEvents } from '../../group/entries.ts';
import type { Entry } from '../../journal/port.ts';

/** What a host was told is durable: by `stream:seq`, its data as JSON. */
export type Acknowledged = ReadonlyMap<string, string>;

/** The first promise that is broken, as one sentence; undefined when all hold. */
export function brokenPromise(entries: readonly Entry[], acknowledged: Acknowledged): string | undefined {
  const found = new Map<string, string>();
  const seqs = new Map<string, number>();
  const settled = new Set<string>();
  const ended = new Set<string>();
  const checkpoints = new Set<string>();
  let runEnds = 0;
  for (const { stream, seq, type, data } of entries) {
    const before = seqs.get(stream) ?? 0;
    if (seq !== before + 1) return `${stream}: entry ${seq} follows entry ${before}`;
    seqs.set(stream, seq);
    found.set(`${stream}:${seq}`, JSON.stringify(data));
    if (type === 'member.settled') {
      const { member, incarnation } = data as unknown as GroupEvents['member.settled'];
      const key = `${stream} ${member}#${incarnation}`;
      if (settled.has(key)) return `${stream}, entry ${seq}: member ${member} is settled twice`;
      if (ended.has(stream)) return `${stream}, entry ${seq}: member ${member} is settled after its group has ended`;
      settled.add(key);
    }
    const { effect } = (data ?? {}) as { readonly effect?: string };
    if (type === 'checkpoint' && effect !== undefined) {
      const key = `${stream} ${effect}`;
      if (checkpoints.has(key)) return `${stream}, entry ${seq}: effect ${effect} is recorded twice`;
      checkpoints.add(key);
    }
    if (type === 'group.ended') {
      if (ended.has(stream)) return `${stream}, entry ${seq}: the group ends twice`;
      ended.add(stream);
    }
    if (type === 'run.ended') runEnds += 1;
  }
  if (runEnds > 1) return `the run ends ${runEnds} times`;
  for (const [place, data] of acknowledged) {
    const now = found.get(place);
    if (now === undefined) return `${place} was acknowledged and is lost`;
    if (now !== data) return `${place} was acknowledged as ${data} and is now ${now}`;
  }
  return undefined;
}
