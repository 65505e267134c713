/**
 * A log for ShiViz: `host {vector clock}`, then what happened. Clocks are made from the journal's causes; nothing of them is stored.
 * Its parser takes `(?<host>\S*) (?<clock>{.*})\n(?<event>.*)`.
 */
import type { Frame } from '../model.ts';

/** The regular expression to give to ShiViz. */
export const shivizParser = String.raw`(?<host>\S*) (?<clock>{.*})\n(?<event>.*)`;

/** The log. */
export function shiviz(frames: readonly Frame[]): string {
  const clocks = new Map<string, Map<string, number>>();
  const at = new Map<number, ReadonlyMap<string, number>>();
  const lines: string[] = [];
  for (const { position, stream, who, type, summary, causes } of frames) {
    const group = stream.replace(/^group:/, '');
    const host = (who === '' || type === 'signal' || type === 'message' ? group : `${group}/${who}`).replace(
      /\s+/g,
      '_',
    );
    const clock = clocks.get(host) ?? new Map<string, number>();
    clocks.set(host, clock);
    for (const cause of causes) {
      for (const [name, count] of at.get(cause.position) ?? []) clock.set(name, Math.max(clock.get(name) ?? 0, count));
    }
    clock.set(host, (clock.get(host) ?? 0) + 1);
    at.set(position, new Map(clock));
    lines.push(
      `${host} ${JSON.stringify(Object.fromEntries(clock))}`,
      `${position} ${type} ${summary.replaceAll('\n', ' ')}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
