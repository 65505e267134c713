/** The input of a run, from the command line. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { TroupeError } from '../error.ts';
import { toJson, type JsonValue } from '../json.ts';
import { inexactIn, inexactText } from './inexact.ts';

/** Parses `--input`: JSON, `@file` with JSON in it, or `@-` for standard input. Codes: BAD_INPUT. */
export async function readInput(given: string | undefined): Promise<JsonValue | undefined> {
  if (given === undefined) return undefined;
  const { source, json } = await read(given);
  try {
    const input = toJson(JSON.parse(json), 'input');
    const inexact = inexactIn(json);
    if (inexact !== undefined) throw new Error(inexactText(inexact));
    return input;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint =
      error instanceof SyntaxError && source === '--input' ? ` Quote it for the shell: --input '{"n":1}'.` : '';
    const shown = json.length > 60 ? `${json.slice(0, 60)}…` : json;
    throw new TroupeError('BAD_INPUT', `expected ${source} to be JSON, got \`${shown.trim()}\`: ${why}.${hint}`);
  }
}

async function read(given: string): Promise<{ readonly source: string; readonly json: string }> {
  if (!given.startsWith('@')) return { source: '--input', json: given };
  const file = given.slice(1);
  if (file === '-') return { source: 'standard input', json: await text(process.stdin) };
  try {
    // Some editors and shells begin a file with a mark of its encoding.
    return { source: file, json: (await readFile(file, 'utf8')).replace(/^\ufeff/, '') };
  } catch (error) {
    throw new TroupeError('BAD_INPUT', `--input ${given}: cannot read ${file}: ${(error as Error).message}`, {}, error);
  }
}
