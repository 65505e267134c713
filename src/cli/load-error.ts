/** Why a process file could not be loaded, in one sentence with file and line. */
import { execFile } from 'node:child_process';
import { TroupeError } from '../error.ts';
import { nearPath, placeAboveStack, placeInStack } from './stack-place.ts';

/** True when JavaScript imported TypeScript and nobody was there to translate it. */
export function isMissingTypeScript(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_UNKNOWN_FILE_EXTENSION' &&
    /\.[cm]?tsx?\b/.test(error.message)
  );
}

/** What a failed import is told as. `given` is the file as the user named it. */
export async function explainLoadError(thrown: unknown, file: string, given: string): Promise<TroupeError> {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const invalid = (sentence: string) => new TroupeError('PROCESS_INVALID', sentence, { file }, thrown);
  const translation = /\n(.+):(\d+):(\d+): ERROR: (.+)/.exec(error.message);
  if (translation !== null) {
    const [, where = file, line, column, what] = translation;
    return invalid(`${shown(where, file, given)}:${line}:${column}: ${what}`);
  }
  if (error instanceof SyntaxError && isOfImport(error)) {
    const elsewhere = placeAboveStack(error.stack ?? '');
    if (elsewhere !== undefined && elsewhere !== file) return invalid(`${nearPath(elsewhere)}: ${error.message}`);
    const line = await syntaxErrorPlace(file);
    if (line !== undefined || elsewhere !== undefined) return invalid(`${given}${line ?? ''}: ${error.message}`);
    return invalid(`${given} imports a file with a syntax error: ${error.message}`);
  }
  if ('code' in error && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED')) {
    return invalid(`${given} cannot be loaded: ${error.message}`);
  }
  if (/^request for '.*' is (not in cache|from a module not been linked)/.test(error.message)) {
    const why = 'CommonJS in TypeScript cannot require a module, such as troupe, on Node before 24';
    return invalid(`${given} cannot be loaded: ${why}; write it as .ts or .mts.`);
  }
  const required = /^(Cannot find module .+)\nRequire stack:\n- (.+?)(?: \(data:|\n|$)/.exec(error.message);
  if (required !== null) {
    // Of TypeScript that is CommonJS here; the stack in the message names the whole of it, translated.
    const [, what = '', where = file] = required;
    return invalid(`${given} cannot be loaded: ${what} imported from ${shown(where, file, given)}`);
  }
  return invalid(`${given} throws while it is loaded: ${error.message}${frame(error, file, given)}`);
}

/** False for one that the file throws itself, as JSON.parse does. */
function isOfImport({ stack = '' }: SyntaxError): boolean {
  return /^ +at .*$/m.exec(stack)?.[0].includes('node:internal/modules/') ?? true;
}

/** The uppermost frame of the stack that is the user's. */
function frame(error: Error, file: string, given: string): string {
  const place = placeInStack(error.stack ?? '');
  return place === undefined ? '' : ` (${shown(place.file, file, given)}:${place.line})`;
}

function shown(where: string, file: string, given: string): string {
  return where === file ? given : nearPath(where);
}

/** `:3` from `node --check`: an import does not tell the line of a syntax error. Of what node cannot check it tells a line of its own. */
function syntaxErrorPlace(file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', file], { timeout: 5_000 }, (_error, _stdout, stderr) => {
      resolve(/^(?!node:).*(:\d+)$/.exec(stderr.split('\n', 1).join(''))?.[1]);
    });
  });
}
