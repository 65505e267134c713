/** Files of one effect, and those that programs read and write. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { JsonValue } from '../../json.ts';
import { onDisk } from './disk-error.ts';
import { fileText } from './event-text.ts';
import type { Action } from './load-sdk.ts';
import { readObject } from './read-run.ts';
import { resultSchema, type EffectResult } from './result-file.ts';
import { place, stage } from './staging.ts';

/** A file that a task names: absolute, or relative to the run directory. */
export const fileIn = (runDir: string, path: string): string => resolve(runDir, path);

/** What was asked for: `task.json`; undefined when it is missing. Codes: JOURNAL_CORRUPT. */
export function readTask(runDir: string, effectId: string): Readonly<Record<string, unknown>> | undefined {
  return readObject(join(runDir, 'tasks', effectId, 'task.json'));
}

/** What an effect was resolved with: `result.json`; undefined when it is missing. Written by babysitter's rules, by whomever. */
export function readResult(
  runDir: string,
  effectId: string,
): (EffectResult & { readonly value?: JsonValue }) | undefined {
  const result = readObject(join(runDir, 'tasks', effectId, 'result.json'));
  const { resultRef } = result ?? {};
  // A large value stands in a file of its own.
  const value = typeof resultRef === 'string' ? { value: outputFrom(runDir, resultRef, null) } : {};
  return result === undefined ? undefined : ({ ...result, ...value } as unknown as EffectResult);
}

/** What a question is about, as its asker says. */
export function inputsOf({ taskDef }: Action): JsonValue {
  const { payload } = (taskDef['metadata'] ?? {}) as { readonly payload?: JsonValue };
  const breakpoint = taskDef['breakpoint'] as { readonly payload?: JsonValue } | undefined;
  return payload ?? breakpoint?.payload ?? null;
}

/** Writes what a program reads, unless it is there. Codes: JOURNAL_IO. */
export function writeInputs(
  runDir: string,
  { path, value }: { readonly path: string; readonly value: JsonValue },
): void {
  const file = fileIn(runDir, path);
  if (existsSync(file)) return;
  onDisk(runDir, () => {
    mkdirSync(dirname(file), { recursive: true });
    place(stage(runDir, fileText(value as object)), file);
  });
}

/**
 * What the program of an effect wrote, or printed. Babysitter's own place for it is that of the effect's result: what stands there may be
 * that already, when whoever recorded it was killed before the run's journal heard of it.
 */
export function writtenBy(runDir: string, effectId: string, path: string | undefined, otherwise: JsonValue): JsonValue {
  const isResult = path !== undefined && fileIn(runDir, path) === join(runDir, 'tasks', effectId, 'result.json');
  const result = isResult ? (outputFrom(runDir, path, null) as { readonly schemaVersion?: unknown } | null) : undefined;
  return result?.schemaVersion === resultSchema
    ? (readResult(runDir, effectId)?.value ?? null)
    : outputFrom(runDir, path, otherwise);
}

/** What a program wrote, as JSON where it is; else what it printed; else `otherwise`. Codes: JOURNAL_IO. */
export function outputFrom(runDir: string, path: string | undefined, otherwise: JsonValue): JsonValue {
  const printed = (otherwise as { readonly stdout?: unknown } | null)?.stdout;
  const file = path === undefined || path === '' ? undefined : fileIn(runDir, path);
  const text = file !== undefined && existsSync(file) ? onDisk(file, () => readFileSync(file, 'utf8')) : printed;
  if (typeof text !== 'string') return otherwise;
  try {
    // Programs on Windows begin files with a mark of their encoding.
    return JSON.parse(text.replace(/^\ufeff/, '')) as JsonValue;
  } catch {
    return text === printed ? otherwise : text;
  }
}
