/** Files that the command line names, to be written: where that does not work, it is the name that has to be mended. */
import { open, writeFile } from 'node:fs/promises';
import { TroupeError } from '../error.ts';

const cannot = (file: string, error: unknown) =>
  new TroupeError('BAD_INPUT', `cannot write ${file}: ${(error as Error).message}`, { file }, error);

/** Writes a whole file. Codes: BAD_INPUT. */
export async function writeOut(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: unknown) => {
    throw cannot(file, error);
  });
}

/** A file that is written part by part, made with the first: until then whatever has the name is as it was. */
export function outFile(file: string): { write(text: string): Promise<void>; close(): Promise<void> } {
  let opened: ReturnType<typeof open> | undefined;
  return {
    async write(text) {
      try {
        opened ??= open(file, 'w');
        await (await opened).appendFile(text);
      } catch (error) {
        throw cannot(file, error);
      }
    },
    async close() {
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}
