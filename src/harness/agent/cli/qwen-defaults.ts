/** Settings of Qwen Code's lowest rank: those of the system, with how often a model call is tried again where nobody says it. */
import { readFile } from 'node:fs/promises';
import { fields, lineObject, type LineObject } from './line-object.ts';
import type { CliTurn } from './program.ts';

const ownPlaces: Readonly<Record<string, string>> = {
  darwin: '/Library/Application Support/QwenCode/system-defaults.json',
  linux: '/etc/qwen-code/system-defaults.json',
  win32: String.raw`C:\ProgramData\qwen-code\system-defaults.json`,
};

/** Writes them; resolves to the variable that names the file. */
export async function qwenDefaults({ env, retries, file }: CliTurn): Promise<Readonly<Record<string, string>>> {
  const variable = 'QWEN_CODE_SYSTEM_DEFAULTS_PATH';
  const place = env[variable] ?? ownPlaces[process.platform] ?? '';
  const given: LineObject = lineObject(await readFile(place, 'utf8').catch(() => '{}')) ?? {};
  const model = fields(given['model']);
  const generationConfig = { maxRetries: retries, ...fields(model['generationConfig']) };
  return {
    [variable]: await file('defaults.json', JSON.stringify({ ...given, model: { ...model, generationConfig } })),
  };
}
