/** Why a program did not start, as an outcome whose sentence says what to mend. */
import { stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { failWith } from '../outcome.ts';
import { plainError } from '../plain-error.ts';
import type { FailureClass, Outcome } from '../port.ts';

interface Refused {
  readonly file: string;
  readonly cwd: string | undefined;
  /** The program's own search path. */
  readonly path: string | undefined;
  readonly error: unknown;
}

/** Shortages of the machine: another try may find it better. */
const shortages: ReadonlySet<string> = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']);

/**
 * The outcome of a program that the system refused to start. The system says ENOENT for a missing program, a missing folder
 * and a missing interpreter alike; this tells them apart. Codes: CWD_MISSING, ENOENT, EACCES, or the system's own.
 */
export async function refusal({ file, cwd, path, error }: Refused): Promise<Outcome> {
  const { code = 'BAD_INPUT', message } = plainError(error);
  const refused = (failureCode: string, sentence: string, failureClass: FailureClass = 'refused') =>
    failWith(failureClass, failureCode, sentence);

  if (cwd !== undefined && !(await isFolder(cwd))) {
    return refused('CWD_MISSING', `the folder to run \`${file}\` in does not exist or is not a folder: ${cwd}.`);
  }
  const isPath = file.includes('/');
  const place = isPath && cwd !== undefined ? join(file.startsWith('/') ? '/' : cwd, file) : file;
  if (code === 'ENOENT') {
    const found = isPath ? ((await exists(place)) ? place : undefined) : await foundIn(file, path);
    if (found !== undefined)
      return refused(code, `the interpreter that the first line of \`${found}\` names was not found.`);
    return refused(
      code,
      isPath ? `the program \`${file}\` does not exist.` : `the program \`${file}\` was not found on the PATH.`,
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const why = (await isFolder(place)) ? 'it is a folder' : 'it is not executable, or may not be by this user';
    return refused(code, `the program \`${file}\` may not be run: ${why}.`);
  }
  if (code === 'E2BIG')
    return refused(code, `arguments and environment of \`${file}\` are too large; pass data by stdin or a file.`);
  if (shortages.has(code))
    return refused(code, `the system is short of something that \`${file}\` needs to start: ${message}.`, 'overloaded');
  return refused(code.startsWith('ERR_') ? 'BAD_INPUT' : code, `\`${file}\` did not start: ${message}`);
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
const isFolder = (path: string) =>
  stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );

async function foundIn(file: string, path: string | undefined): Promise<string | undefined> {
  for (const folder of (path ?? '').split(delimiter)) {
    const place = join(folder === '' ? '.' : folder, file);
    if (await exists(place)) return place;
  }
  return undefined;
}
