/** Snapshots: one file each, `snapshots/<stream>-<seq>.json`, checked when loaded, never needed (G9). */
import { hasCode, readAll, withFile, writeAll, type FileSystem } from './fs.ts';
import { encodeObject, lineDamage, parseObject } from './line.ts';
import { encodeName } from './names.ts';
import type { JournalNotice, Snapshot } from './port.ts';

const snapshotFormat = 1;
/** How many of each stream stay: the one before serves when the newest is damaged. */
const keptPerStream = 2;

/** What writes a snapshot and when, besides its content. */
export interface SnapshotStamp {
  readonly engine: string;
  readonly at: number;
  readonly epoch: number;
}

async function namesIn(fs: FileSystem, folder: string): Promise<readonly string[]> {
  try {
    return await fs.readdir(`${folder}/snapshots`);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** A stream's snapshots among these names, newest first. */
function snapshotsOf(
  stream: string,
  names: readonly string[],
): readonly { readonly file: string; readonly seq: number }[] {
  const prefix = `${encodeName(stream)}-`;
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+\.json$/.test(name.slice(prefix.length)))
    .map((file) => ({ file, seq: Number(file.slice(prefix.length, -'.json'.length)) }))
    .toSorted((a, b) => b.seq - a.seq);
}

let drafts = 0;

/** Drafts that hosts of earlier epochs were killed over. */
function leftDrafts(names: readonly string[], epoch: number): readonly string[] {
  return names.filter((name) => {
    const made = /\.json\.(\d+)-\d+\.draft$/.exec(name);
    return made !== null && Number(made[1]) < epoch;
  });
}

/** Writes a snapshot, durable with its name, and drops the stream's oldest ones. System errors pass through, and leave nothing behind. */
export async function writeSnapshot(
  fs: FileSystem,
  folder: string,
  snapshot: Snapshot,
  stamp: SnapshotStamp,
): Promise<void> {
  const { stream, seq, maker, data } = snapshot;
  const snapshots = `${folder}/snapshots`;
  if ((await fs.mkdir(snapshots)) !== undefined) await fs.syncDirectory(folder);
  const path = `${snapshots}/${encodeName(stream)}-${seq}.json`;
  const draft = `${path}.${stamp.epoch}-${++drafts}.draft`;
  try {
    await withFile(fs, draft, 'replace', async (open) => {
      await writeAll(
        open,
        Buffer.from(encodeObject({ troupe: 'snapshot', format: snapshotFormat, stream, seq, maker, ...stamp, data })),
        0,
      );
      await open.datasync();
    });
    await fs.rename(draft, path);
  } catch (error) {
    // On a full disk it would take the room that the log needs.
    await fs.unlink(draft).catch(() => undefined);
    throw error;
  }
  await fs.syncDirectory(snapshots);
  const names = await namesIn(fs, folder);
  const old = snapshotsOf(stream, names).slice(keptPerStream);
  for (const file of [...old.map((one) => one.file), ...leftDrafts(names, stamp.epoch)])
    await fs.unlink(`${snapshots}/${file}`);
}

/** Why a snapshot's bytes are not to be used, or the snapshot. */
function parseSnapshot(bytes: Buffer, stream: string, maker: string, head: number): Snapshot | string {
  const end = bytes.length - 1;
  const damage = bytes[end] === 10 ? lineDamage(bytes, 0, end) : 'it has no end';
  if (damage !== undefined) return `it is damaged: ${damage}`;
  try {
    const { troupe, format, stream: ofStream, seq, maker: by, data } = parseObject(bytes.toString('utf8', 0, end));
    if (troupe !== 'snapshot' || typeof seq !== 'number' || data === undefined) return 'it is no snapshot';
    if (format !== snapshotFormat) return `it has format ${String(format)}, not ${snapshotFormat}`;
    if (ofStream !== stream) return `it is of stream \`${String(ofStream)}\``;
    if (by !== maker) return `it was made by \`${String(by)}\`, not \`${maker}\``;
    if (seq > head) return `it is at seq ${seq}, but the stream ends at ${head}`;
    // Parsed JSON is JSON.
    return { stream, seq, maker, data: data as Snapshot['data'] };
  } catch {
    return 'it is not JSON';
  }
}

/** The newest snapshot that can be used; each newer one that cannot is told in a notice. `head` is the stream's last seq. */
export async function readSnapshot(
  fs: FileSystem,
  folder: string,
  stream: string,
  maker: string,
  head: () => Promise<number>,
  notice: (notice: JournalNotice) => void,
): Promise<Snapshot | undefined> {
  const files = snapshotsOf(stream, await namesIn(fs, folder));
  if (files.length === 0) return undefined;
  const last = await head();
  for (const { file } of files) {
    let found: Snapshot | string;
    try {
      found = await withFile(fs, `${folder}/snapshots/${file}`, 'read', async (open) =>
        parseSnapshot(await readAll(open, 0, await open.size()), stream, maker, last),
      );
    } catch (error) {
      found = `it cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (typeof found === 'object') return found;
    notice({ kind: 'snapshot-ignored', file: `snapshots/${file}`, message: `snapshots/${file} is ignored: ${found}.` });
  }
  return undefined;
}
