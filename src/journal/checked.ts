/**
 * What a holder of a run had checked when it gave the run back, or some time before: how long the last segment was, one checksum over all of it, and what
 * stood in the log until there. If both still fit, every line is what was checked line by line before, and the next holder need only
 * look at those behind. A cache like a snapshot: whatever is wrong with it, or with the segment, is found by the scan that is made
 * without it. Lies in `lease/checked.json`.
 */
import { withFile, readAll, writeAll, type FileSystem } from './fs.ts';
import { encodeObject, entryVersion, lineDamage, parseObject } from './line.ts';
import type { Outline } from './port.ts';
import { isHeads } from './segments.ts';

/** A place in the last segment, behind a whole append. */
export interface Checked {
  readonly segment: number;
  readonly bytes: number;
  /** CRC-32 of all bytes before it. */
  readonly crc: number;
  /** Entries, the highest epoch, and the last seq of every stream, in the whole log before it. */
  readonly entries: number;
  readonly epoch: number;
  readonly heads: ReadonlyMap<string, number>;
  /** What somebody has made of all those entries. */
  readonly outline: Outline | undefined;
}

const pathIn = (folder: string) => `${folder}/lease/checked.json`;
const draftIn = (folder: string) => `${folder}/lease/checked.draft`;

/** Writes it down, not durably: without it the next holder only takes longer. Never rejects. */
export async function writeChecked(fs: FileSystem, folder: string, checked: Checked): Promise<void> {
  const { segment, bytes, crc, entries, epoch, heads, outline } = checked;
  try {
    const line = encodeObject({
      segment,
      bytes,
      sum: crc,
      v: entryVersion,
      entries,
      epoch,
      heads: Object.fromEntries(heads),
      // Left out where there is none.
      outline,
    });
    await withFile(fs, draftIn(folder), 'replace', (open) => writeAll(open, Buffer.from(line), 0));
    await fs.rename(draftIn(folder), pathIn(folder));
  } catch {
    // What is left there is checked when it is read.
  }
}

/** What was written down; undefined when there is nothing that can be read. Never rejects. */
export async function readChecked(fs: FileSystem, folder: string): Promise<Checked | undefined> {
  try {
    const line = await withFile(fs, pathIn(folder), 'read', async (open) => readAll(open, 0, await open.size()));
    if (lineDamage(line, 0, line.length - 1) !== undefined) return undefined;
    const { segment, bytes, sum, v, entries, epoch, heads, outline } = parseObject(line.toString());
    if (
      typeof segment !== 'number' ||
      typeof bytes !== 'number' ||
      typeof sum !== 'number' ||
      // Who wrote newer entries than we read had checked what we cannot.
      v !== entryVersion ||
      typeof entries !== 'number' ||
      typeof epoch !== 'number' ||
      !isHeads(heads)
    ) {
      return undefined;
    }
    // Written by us, guarded by its checksum.
    const kept = outline as Outline | undefined;
    return { segment, bytes, crc: sum, entries, epoch, heads: new Map(Object.entries(heads)), outline: kept };
  } catch {
    return undefined;
  }
}
