/** A run that nothing happens to: what the others are compared with. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonical, type JsonValue } from '../../src/index.ts';
import type { Program } from './program.ts';
import { sceneOf } from './scene.ts';

/** How it went. */
export interface Undisturbed {
  /** The run's end as canonical JSON. */
  readonly end: string;
  readonly tookMs: number;
  /** Bytes of its log. */
  readonly bytes: number;
}

/** Drives one run to its end. With `work`, members do that instead, and find the flag file of the second try. */
export async function undisturbedRun({
  program,
  folder,
  work,
}: {
  readonly program: Program;
  readonly folder: string;
  readonly work?: string;
}): Promise<Undisturbed> {
  const run = `chaos-${process.pid}-undisturbed`;
  const scene = sceneOf({ program, folder: join(folder, run), run, ...(work === undefined ? {} : { work }) });
  writeFileSync(scene.flag, '');
  const startedAt = Date.now();
  const { code, stderr, at } = await scene.start().ended;
  assert.equal(code, 0, `the undisturbed run failed: ${stderr} ${JSON.stringify(scene.said().at(-1))}`);
  const end = await scene.checkEnd();
  assert.equal(end.status, 'completed');
  const bytes = scene.logBytes();
  scene.remove();
  return { end: canonical(end as unknown as JsonValue), tookMs: at - startedAt, bytes };
}
