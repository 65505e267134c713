/** `troupe fork`. */
import { TroupeError } from '../error.ts';
import { forkRun } from '../process/fork.ts';
import { dataFolder } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import { print, styleFor } from './terminal.ts';
import { count } from './text.ts';

/** Options of `troupe fork`. */
export interface ForkCommandOptions {
  readonly at: string;
  readonly as?: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** Makes a new run of a run's first entries. Returns the exit code. */
export async function forkCommand(
  run: string,
  { at: given, as, data: folder, json }: ForkCommandOptions,
): Promise<number> {
  const at = /^-?\d+$/.test(given) ? Number(given) : Number.NaN;
  if (Number.isNaN(at)) {
    throw new TroupeError(
      'BAD_INPUT',
      `expected --at to be a position such as 42 (see: troupe log ${run}), got \`${given}\`.`,
    );
  }
  const data = dataFolder(folder);
  const fork = await forkRun({ store: data.store, from: run, at, ...(as === undefined ? {} : { as }) });
  if (json === true) {
    print(JSON.stringify(fork));
    return exitCodes.ok;
  }
  const style = styleFor(process.stdout);
  print(
    `${style.bold(`run ${fork.as}`)} · the first ${count(fork.entries, 'entry').replace('entrys', 'entries')} of run ${run}`,
  );
  if (fork.entries < at) {
    print(
      `entry ${at} is part of an append that begins at ${fork.entries + 1}; an append is copied whole or not at all`,
    );
  }
  print();
  for (const command of ['resume', 'log']) print(`  ${style.cyan(`npx troupe ${command} ${fork.as}${data.flag}`)}`);
  return exitCodes.ok;
}
