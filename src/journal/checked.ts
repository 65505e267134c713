/**
 * What a holder of a run had checked when it gave the run back: how long the last segment was, and one checksum over all of it. If both
 * still fit, every line is what was checked line by line before, and the next holder need not do that again. A cache like a snapshot:
 * whatever is wrong with it, or with the segment, is found by the scan that is made without it. Lies in `lease/checked.json`.
 */
import { withFile, readAll, writeAll, type FileSystem } from './fs.ts';
import { encodeObject, lineDamage, parseObject } from './line.ts';

/** The last segment's end, and the CRC-32 of all bytes before it. */
export interface Checked {
  readonly segment: number;
  readonly bytes: number;
  readonly crc: number;
}

const pathIn = (folder: string) => `${folder}/lease/checked.json`;

/** Writes it down, not durably: without it the next holder only takes longer. Never rejects. */
export async function writeChecked(fs: FileSystem, folder: string, checked: Checked): Promise<void> {
  try {
    await withFile(fs, pathIn(folder), 'replace', (open) =>
      writeAll(
        open,
        Buffer.from(encodeObject({ segment: checked.segment, bytes: checked.bytes, sum: checked.crc })),
        0,
      ),
    );
  } catch {
    // What is left there is checked when it is read.
  }
}

/** What was written down; undefined when there is nothing that can be read. Never rejects. */
export async function readChecked(fs: FileSystem, folder: string): Promise<Checked | undefined> {
  try {
    const line = await withFile(fs, pathIn(folder), 'read', async (open) => readAll(open, 0, await open.size()));
    if (lineDamage(line, 0, line.length - 1) !== undefined) return undefined;
    const { segment, bytes, sum } = parseObject(line.toString());
    return typeof segment === 'number' && typeof bytes === 'number' && typeof sum === 'number'
      ? { segment, bytes, crc: sum }
      : undefined;
  } catch {
    return undefined;
  }
}
