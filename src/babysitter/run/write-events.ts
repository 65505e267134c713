/**
 * Appends events to a run's journal as babysitter's readers want them: places without a gap or a second, ULIDs that grow, whole files,
 * durable when it returns. Killed at any moment it leaves the run as if it had not begun, or with the first of its events.
 * Some of babysitter's own writers take no lock, so the folder is listed anew before each append.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TroupeError } from '../../error.ts';
import { monotonicMs } from '../../journal/time.ts';
import { isLeft } from './alive.ts';
import { eventText, type EventData } from './event-text.ts';
import { lastEventFile } from './listing.ts';
import { eventFile, parseEventFile, parseTempFile, seqMax, ulidAfter, type EventName } from './names.ts';
import { place, removeLeftovers, stage, syncFolder } from './staging.ts';

/** An event that is to be appended. */
export interface NewEvent {
  readonly type: string;
  readonly data: EventData;
}

/** How long a living writer without a lock may take to put a begun event into its place, ms. */
const begunMsMax = 5_000;

/**
 * Appends in order; the lock is the caller's to hold. `harness` is the run's, which babysitter writes into each event that names none.
 * Codes: RUN_BUSY (another writer does not come to an end), LIMIT (no place left), JOURNAL_CORRUPT.
 */
export async function writeEvents(
  runDir: string,
  events: readonly NewEvent[],
  harness?: string,
): Promise<readonly EventName[]> {
  if (events.length === 0) return [];
  const folder = join(runDir, 'journal');
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  const nowMs = Date.now();
  const recordedAt = new Date(nowMs).toISOString();
  const staged = events.map(({ type, data }) => {
    const own = harness === undefined || data['harness'] !== undefined ? data : { harness, ...data };
    return stage(runDir, eventText({ type, recordedAt, data: own }));
  });
  // Looked at last: from here on each event takes one rename.
  let last = await lastOf(runDir);
  if (last.seq + events.length > seqMax)
    throw new TroupeError('LIMIT', `${folder}: babysitter's journals hold at most ${seqMax} events.`, { folder });
  const written: EventName[] = [];
  for (const file of staged) {
    const name: EventName = { seq: last.seq + 1, ulid: ulidAfter(last.ulid, nowMs) };
    place(file, join(folder, eventFile(name)));
    written.push(name);
    last = name;
  }
  syncFolder(folder);
  return written;
}

/** The last event's name, when nobody else is about to put one behind it. */
async function lastOf(runDir: string): Promise<{ readonly seq: number; readonly ulid: string | undefined }> {
  const until = monotonicMs() + begunMsMax;
  for (;;) {
    const { last: file, others } = lastEventFile(runDir);
    const begun = others.flatMap((name) => {
      const temp = parseTempFile(name);
      return temp?.seq === undefined ? [] : [{ name, pid: temp.pid }];
    });
    const last = file === undefined ? undefined : parseEventFile(file);
    if (begun.length === 0) return { seq: last?.seq ?? 0, ulid: last?.ulid };
    if (begun.some(({ name, pid }) => isLeft(join(runDir, 'journal', name), pid))) removeLeftovers(runDir);
    else if (monotonicMs() > until) {
      const [first] = begun;
      throw new TroupeError(
        'RUN_BUSY',
        `journal/${first?.name}: process ${first?.pid} has begun to write this event and does not come to an end. End that process.`,
        { file: join(runDir, 'journal', first?.name ?? '') },
      );
    } else await delay(2);
  }
}
