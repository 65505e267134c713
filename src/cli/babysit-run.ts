/** A run directory of babysitter as the command line drives it: its process file, its SDK, and who performs. */
import { relative, resolve } from 'node:path';
import { hearingGroups, type DeclaredGroups } from '../babysitter/declared.ts';
import type { Performers } from '../babysitter/drive-group.ts';
import { passesOf } from '../babysitter/passes.ts';
import type { ProcessFunction } from '../babysitter/run/guard-file.ts';
import { loadSdk, type LoadedSdk } from '../babysitter/run/load-sdk.ts';
import { openRunFolder, type RunFolder } from '../babysitter/run/run-folder.ts';
import { troupeFolder } from '../babysitter/run/staging.ts';
import { shareHarnesses } from '../babysitter/share-harnesses.ts';
import { TroupeError } from '../error.ts';
import { defineProcess } from '../process/define-process.ts';
import { fileRequests } from '../process/file-requests.ts';
import { dataFolder } from './data-folder.ts';
import { harnessesWith, worktreesIn } from './harnesses.ts';
import { configured } from './load-config.ts';
import { loadModule, type Module } from './load-module.ts';
import { harnessesOf, rulesOf } from './load-process.ts';

/** A run directory, ready to be driven. */
export interface BabysitterRun {
  readonly folder: RunFolder;
  /** Of the process, for whoever reads of it. */
  readonly file: string;
  readonly sdk: LoadedSdk;
  readonly body: ProcessFunction;
  readonly performers: Performers;
  /** Closes the harnesses. */
  close(): Promise<void>;
}

/** Opens a run directory. Codes: RUN_UNKNOWN, JOURNAL_FORMAT, JOURNAL_CORRUPT, PROCESS_INVALID, CONFIG_INVALID, BAD_INPUT. */
export async function openBabysitterRun(given: string, sdkFolder: string | undefined): Promise<BabysitterRun> {
  const folder = openRunFolder(given);
  const { runDir, facts } = folder;
  folder.index();
  const file = resolve(runDir, facts.importPath);
  const shown = relative(process.cwd(), file) || file;
  // First, so that the SDK finds the same module, and in it this program's `troupe`.
  const { module } = await loadModule(shown, "the process file of this run of babysitter's");
  const sdk = loadSdk(file, runDir, sdkFolder);
  // Runs stand at <project>/.a5c/runs/<run>; commands run in the project.
  const cwd = resolve(runDir, '../../..');
  const loaded = await configured({
    file,
    process: defineProcess('babysitter', () => null),
    harnesses: harnessesOf(module, shown),
    rules: rulesOf(module, shown),
  });
  const data = dataFolder(troupeFolder(runDir));
  const shared = shareHarnesses(harnessesWith(loaded, cwd));
  return {
    folder,
    file,
    sdk,
    body: processIn(module, facts.exportName, shown),
    performers: {
      harnesses: shared.harnesses,
      rules: loaded.rules,
      settings: { ...loaded.settings, worktrees: worktreesIn(data, cwd) },
      requests: (run) => fileRequests(data.requests(run)),
    },
    close: shared.close,
  };
}

/** Runs one pass, only to hear which machines its groups have. */
export async function declaredIn({ folder, sdk, body }: BabysitterRun): Promise<DeclaredGroups> {
  const declared: DeclaredGroups = new Map();
  await hearingGroups(declared, () => passesOf({ folder, sdk, body }).next(Promise.resolve()));
  return declared;
}

/** The function that babysitter itself would take. */
function processIn(module: Module, exportName: string | undefined, shown: string): ProcessFunction {
  const candidate =
    (exportName === undefined ? undefined : module[exportName]) ?? module['process'] ?? module['default'];
  if (typeof candidate === 'function') return candidate as ProcessFunction;
  throw new TroupeError(
    'PROCESS_INVALID',
    `${shown}: expected the export \`${exportName ?? 'process'}\` to be a function, got ${typeof candidate}.`,
  );
}
