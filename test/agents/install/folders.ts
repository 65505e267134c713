/** Where the CLIs are: one folder for each pinned version, beside the repository's own `node_modules`, ignored by git. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Pin } from './pins.ts';

/** Folder of all of them: everything here is started in the repository. */
export const clisFolder = join(process.cwd(), '.agent-clis');

/** Folder of one. */
export function folderOf({ name, version }: Pin): string {
  return join(clisFolder, `${name}-${version}`);
}

/** Absolute path of its program. */
export function programOf(pin: Pin): string {
  return join(folderOf(pin), 'node_modules/.bin', pin.program);
}

/** A folder has its final name only when npm has done its work. */
export function isInstalled(pin: Pin): boolean {
  return existsSync(programOf(pin));
}
