/** Where benches write: on the disk of this folder, not in a temporary folder that may be memory. */
import { closeSync, cpSync, fsyncSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';

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

/** Copies a folder to where nothing is. As what a host acknowledged, the copy is on the disk: nobody pays for that later. */
export function copyDurably(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  for (const name of ['', ...(readdirSync(to, { recursive: true }) as string[])]) {
    const file = openSync(`${to}/${name}`, 'r');
    fsyncSync(file);
    closeSync(file);
  }
}
