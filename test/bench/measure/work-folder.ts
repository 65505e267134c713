/** Where benches write: on the disk of this folder, not in a temporary folder that may be memory. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';

/** The folder; ignored by git. */
export function workFolder(): string {
  const folder = `${process.cwd()}/.bench/work`;
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Runs `use` with a new folder and removes it afterwards. */
export async function inFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(`${workFolder()}/bench-`);
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
