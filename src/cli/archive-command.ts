/** `troupe archive` and `troupe restore`. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { TroupeError } from '../error.ts';
import { dataFolder } from './data-folder.ts';
import { quoted } from './quoted.ts';
import { exitCodes } from './exit-codes.ts';
import { print, styleFor } from './terminal.ts';
import { count, grouped } from './text.ts';

/** Options of `troupe archive`. */
export interface ArchiveCommandOptions {
  readonly out?: string;
  readonly remove?: boolean;
  readonly data?: string;
  readonly json?: boolean;
}

const noArchives = () => new TroupeError('BAD_INPUT', 'expected a store that archives runs.');

/** Writes a run into one file. Returns the exit code. */
export async function archiveCommand(
  run: string,
  { out, remove = false, data: folder, json }: ArchiveCommandOptions,
): Promise<number> {
  const { store, flag } = dataFolder(folder);
  if (store.archive === undefined) throw noArchives();
  const file = out ?? `${run}.tar.gz`;
  const above = dirname(resolve(file));
  if (!existsSync(`${above}/.`))
    throw new TroupeError('BAD_INPUT', `cannot write ${file}: there is no folder ${above}.`, { file });
  const archive = await store.archive(run, resolve(file), { remove });
  if (json === true) {
    print(JSON.stringify({ ...archive, removed: remove }));
    return exitCodes.ok;
  }
  const size = `${grouped(Math.ceil(archive.bytes / 1_000))} kB`;
  print(
    `${styleFor(process.stdout).bold(`run ${run}`)} · archived in ${file} (${count(archive.files, 'file')}, ${size})${remove ? ', and removed' : ''}`,
  );
  print(`\n  npx troupe restore ${quoted(file)}${flag}`);
  return exitCodes.ok;
}

/** Makes a run of an archive. Returns the exit code. */
export async function restoreCommand(
  file: string,
  options: { readonly data?: string; readonly json?: boolean },
): Promise<number> {
  const data = dataFolder(options.data);
  if (data.store.restore === undefined) throw noArchives();
  const run = await data.store.restore(resolve(file));
  if (options.json === true) print(JSON.stringify({ run, file: resolve(file) }));
  else print(`${styleFor(process.stdout).bold(`run ${run}`)} · restored\n\n  npx troupe show ${run}${data.flag}`);
  return exitCodes.ok;
}
