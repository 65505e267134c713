/** A run that nothing happens to: what the others are compared with. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { canonical, type JsonValue } from '../../src/index.ts';
import { play, type PlayOptions } from './play.ts';

/** How it went. */
export interface Undisturbed {
  /** The run's end as canonical JSON. */
  readonly end: string;
  readonly tookMs: number;
  /** Bytes of its log. */
  readonly bytes: number;
}

/** Drives one run to its end. With `work`, members do that instead, and find the flag file of the second try. */
export async function undisturbedRun(options: PlayOptions & { readonly work?: string }): Promise<Undisturbed> {
  let undisturbed: Undisturbed | undefined;
  await play(options, 'undisturbed', options.work, async (scene) => {
    writeFileSync(scene.flag, '');
    const startedAt = Date.now();
    const { code, stderr, at } = await scene.start().ended;
    assert.equal(code, 0, `${stderr} ${JSON.stringify(scene.said().at(-1))}`);
    const end = await scene.checkEnd();
    assert.equal(end.status, 'completed');
    undisturbed = { end: canonical(end as unknown as JsonValue), tookMs: at - startedAt, bytes: scene.logBytes() };
  });
  assert.ok(undisturbed !== undefined);
  return undisturbed;
}
