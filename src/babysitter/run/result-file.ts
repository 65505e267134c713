/** An effect's result as babysitter writes it: `tasks/<effect>/result.json`, and beside it the texts of a program. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonValue } from '../../json.ts';
import { fileText } from './event-text.ts';
import { place, stage, syncFolder } from './staging.ts';

/** How an effect went. */
export type EffectResult = (
  | { readonly status: 'ok'; readonly value: JsonValue }
  | { readonly status: 'error'; readonly error: EffectError }
) & {
  readonly stdout?: string;
  readonly stderr?: string;
  /** ISO texts. */
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly metadata?: { readonly [name: string]: JsonValue };
};

/** What the process function is thrown. */
export type EffectError = {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly data?: JsonValue;
};

/** What the file of a result says that it is. */
export const resultSchema = '2026.01.results-v1';

/** A larger result stands in a file of its own, bytes. */
const inlineBytesMax = 2 ** 20;

/** Refers to what was written, relative to the run directory. */
export interface ResultRefs {
  readonly resultRef: string;
  readonly stdoutRef?: string;
  readonly stderrRef?: string;
}

/** Writes the files of a result, durably; nothing refers to them yet. */
export function writeResult(
  runDir: string,
  effect: { readonly effectId: string; readonly taskId: string; readonly invocationKey: string },
  result: EffectResult,
): ResultRefs {
  const { effectId, taskId, invocationKey } = effect;
  const folder = join(runDir, 'tasks', effectId);
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string): string => {
    place(stage(runDir, text), join(folder, name));
    return `tasks/${effectId}/${name}`;
  };
  const stdoutRef = result.stdout === undefined ? {} : { stdoutRef: write('stdout.log', result.stdout) };
  const stderrRef = result.stderr === undefined ? {} : { stderrRef: write('stderr.log', result.stderr) };
  const { startedAt, finishedAt, metadata } = result;
  let outcome: Readonly<Record<string, unknown>>;
  if (result.status === 'ok') {
    const value = sorted(result.value);
    const text = fileText(value as object);
    if (Buffer.byteLength(text) <= inlineBytesMax) outcome = { result: value, value };
    else {
      mkdirSync(join(folder, 'blobs'), { recursive: true });
      const name = `blobs/result-${createHash('sha256').update(text).digest('hex')}.json`;
      outcome = { resultRef: write(name, text) };
      syncFolder(join(folder, 'blobs'));
    }
  } else outcome = { error: sorted(result.error as JsonValue) };
  const file = {
    schemaVersion: resultSchema,
    effectId,
    taskId,
    invocationKey,
    status: result.status,
    ...outcome,
    ...stdoutRef,
    ...stderrRef,
    startedAt,
    finishedAt,
    metadata: metadata === undefined ? undefined : sorted(metadata),
  };
  const resultRef = write('result.json', fileText(file));
  syncFolder(folder);
  return { resultRef, ...stdoutRef, ...stderrRef };
}

/** The same value, keys of objects in order. */
function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const fields = value as Readonly<Record<string, JsonValue>>;
  return Object.fromEntries(
    Object.keys(fields)
      .toSorted((a, b) => a.localeCompare(b))
      .map((key) => [key, sorted(fields[key] as JsonValue)]),
  );
}
