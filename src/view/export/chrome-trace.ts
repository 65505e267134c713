/** Chrome's trace format, which Perfetto opens: one track per member, since slices of one track must not overlap. */
import type { JsonValue } from '../../json.ts';
import { pairKey, pairOf } from '../key.ts';
import type { Frame } from '../model.ts';

/** Events of the trace; `ts` and `dur` in microseconds. */
export function chromeTrace(frames: readonly Frame[]): JsonValue {
  const events: JsonValue[] = [];
  const processes = new Map<string, number>();
  const threads = new Map<string, number>();
  const pidOf = (stream: string) => {
    const known = processes.get(stream);
    if (known !== undefined) return known;
    const pid = processes.size + 1;
    processes.set(stream, pid);
    events.push({ ph: 'M', name: 'process_name', pid, args: { name: stream.replace(/^group:/, 'group ') } });
    return pid;
  };
  const tidOf = (stream: string, who: string) => {
    const key = pairKey(stream, who);
    const known = threads.get(key);
    if (known !== undefined) return known;
    const tid = threads.size + 1;
    threads.set(key, tid);
    events.push({ ph: 'M', name: 'thread_name', pid: pidOf(stream), tid, args: { name: who || 'coordinator' } });
    return tid;
  };
  const open = new Map<string, { readonly ts: number; readonly name: string }>();
  for (const { stream, who, type, summary, atMs, position } of frames) {
    const pid = pidOf(stream);
    const tid = tidOf(stream, type === 'signal' ? '' : who);
    const ts = atMs * 1_000;
    const key = pairKey(stream, who);
    if (type === 'attempt.started') open.set(key, { ts, name: summary });
    else if (['attempt.cancelled', 'attempt.failed', 'member.settled'].includes(type)) {
      const start = open.get(key);
      open.delete(key);
      if (start !== undefined)
        events.push({
          ph: 'X',
          name: start.name,
          cat: 'attempt',
          pid,
          tid,
          ts: start.ts,
          dur: Math.max(1, ts - start.ts),
          args: { end: summary, position },
        });
    }
    events.push({ ph: 'i', s: 't', name: type, cat: 'entry', pid, tid, ts, args: { summary, position } });
  }
  for (const [key, { ts, name }] of open) {
    const [stream] = pairOf(key);
    events.push({ ph: 'B', name, cat: 'attempt', pid: pidOf(stream), tid: threads.get(key) ?? 0, ts });
  }
  return { traceEvents: events, displayTimeUnit: 'ms' };
}
