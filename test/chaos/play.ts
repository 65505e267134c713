/** Plays one scene: removes it when everything held, keeps it and says where when something did not. */
import { join } from 'node:path';
import { endAllOf } from './living.ts';
import type { Program } from './program.ts';
import { sceneOf, type Scene } from './scene.ts';

/** Where scenes are played. */
export interface PlayOptions {
  readonly program: Program;
  /** Each scene has a folder in it. */
  readonly folder: string;
  /** Where data folders are, if not there. */
  readonly dataFolder?: string;
}

/** Plays a scene; with `work`, members do that instead of their own. */
export async function play(
  { program, folder, dataFolder }: PlayOptions,
  name: string,
  work: string | undefined,
  act: (scene: Scene) => Promise<void>,
): Promise<void> {
  const run = `chaos-${process.pid}-${name}`;
  const scene = sceneOf({
    program,
    folder: join(folder, run),
    run,
    ...(work === undefined ? {} : { work }),
    ...(dataFolder === undefined ? {} : { dir: join(dataFolder, run) }),
  });
  try {
    await act(scene);
    scene.remove();
  } catch (error) {
    endAllOf(`${run}/`);
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${name}: ${message}\n  kept: ${scene.folder}`, { cause: error });
  }
}
