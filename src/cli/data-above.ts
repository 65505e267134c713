/** Runs of a project, looked for from one of its folders. */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * The nearest data folder in one of the folders above this one, relative to this one: whoever went down into a project does not see its runs.
 * Undefined where there is none, or where TROUPE_DATA names one.
 */
export function dataAbove(): string | undefined {
  if ((process.env['TROUPE_DATA'] ?? '') !== '') return undefined;
  for (let folder = dirname(process.cwd()); ; folder = dirname(folder)) {
    const path = join(folder, '.troupe');
    if (existsSync(join(path, 'runs'))) return relative(process.cwd(), path);
    if (folder === dirname(folder)) return undefined;
  }
}
