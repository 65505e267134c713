/** Times, amounts and members in words. */
import type { MemberState } from '../model.ts';

/** A time span: `350 ms`, `2.4 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A moment, local: `14:03:07.120`. */
export function moment(ms: number): string {
  if (ms === 0) return '';
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** A count: `12,400`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Money. */
export function dollars(value: number): string {
  return value === 0 ? '' : `$${value.toFixed(value < 1 ? 3 : 2)}`;
}

/** The last that there is to say of a member: what it is doing while it runs, though an attempt before has failed; else how it ended. */
export function saidBy({
  status,
  line,
  error,
  output,
}: Pick<MemberState, 'error' | 'line' | 'output' | 'status'>): string {
  return (status === 'running' ? line || error : error || output) || line;
}
