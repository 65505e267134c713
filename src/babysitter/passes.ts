/** Passes of a run's process through its own SDK, one at a time, under a guard where that SDK needs one. */
import type { TroupeError } from '../error.ts';
import { guardedPass, textOf, type GuardedContext } from './guard.ts';
import { guardFile, setPass, type ProcessFunction } from './run/guard-file.ts';
import { readTask } from './run/effect-files.ts';
import { releaseOwnLock } from './run/lock.ts';
import type { Iterated, LoadedSdk } from './run/load-sdk.ts';
import type { RunFolder } from './run/run-folder.ts';

/** Passes of one run. */
export interface Passes {
  /** One pass, when `before` is done. */
  next(before: Promise<unknown>): Promise<Iterated>;
  /** Rejects when a pass must not go on. */
  readonly refused: Promise<never>;
  /** Gives back the lock of a pass that was refused. */
  close(): void;
}

/** What passes need. */
export interface PassesOptions {
  readonly folder: RunFolder;
  readonly sdk: LoadedSdk;
  readonly body: ProcessFunction;
}

/** SDKs that tell effects apart by counting calls, and find out what a process threw by its class. */
const needsGuard = (version: string) => version.startsWith('0.');

/** Passes over a run. */
export function passesOf({ folder, sdk: { sdk, version }, body }: PassesOptions): Passes {
  let refuse: (error: TroupeError) => void = () => {};
  let isRefused = false;
  const refused = new Promise<never>((_, reject) => {
    refuse = (error) => {
      isRefused = true;
      reject(error);
    };
  });
  refused.catch(() => {});
  const { runDir, facts } = folder;
  /** Inputs by effect: what was asked for does not change. */
  const inputs = new Map<string, string>();
  const inputsOf = (effectId: string): string => {
    const known = inputs.get(effectId) ?? textOf(readTask(runDir, effectId)?.['inputs']) ?? '';
    inputs.set(effectId, known);
    return known;
  };

  /** The effect that was just asked for: the SDK has counted the calls. */
  const recorded = (task: string) => {
    const { replayCursor } = (sdk.getActiveProcessContext?.() ?? {}) as { readonly replayCursor?: { value?: unknown } };
    const place = replayCursor?.value;
    if (typeof place !== 'number') return undefined;
    const found = byKey.get(`${facts.processId}:S${String(place).padStart(6, '0')}:${task}`);
    if (found === undefined) return undefined;
    const others = () => (byTask.get(task) ?? []).filter((effectId) => effectId !== found);
    return { inputs: inputsOf(found), isOthers: (text: string) => others().some((one) => inputsOf(one) === text) };
  };
  /** What was recorded before this pass. */
  let byKey = new Map<string, string>();
  let byTask = new Map<string, string[]>();
  const look = () => {
    byKey = new Map();
    byTask = new Map();
    for (const { invocationKey, effectId, taskId } of folder.index().effects.values()) {
      byKey.set(invocationKey, effectId);
      const known = byTask.get(taskId);
      if (known === undefined) byTask.set(taskId, [effectId]);
      else known.push(effectId);
    }
  };

  const guard = { refuse: (error: TroupeError) => refuse(error), recorded };
  const isGuarded = needsGuard(version);
  const pass: ProcessFunction = (given, ctx, extra) =>
    guardedPass((guarded) => body(given, guarded as never, extra), ctx as GuardedContext, guard);

  return {
    refused,
    async next(before) {
      await before;
      if (!isGuarded) return await sdk.orchestrateIteration({ runDir });
      look();
      setPass(pass);
      return await sdk.orchestrateIteration({
        runDir,
        process: { importPath: guardFile(runDir), exportName: 'process' },
      });
    },
    close() {
      // A pass that was refused never ends, and would keep the lock.
      if (isRefused) releaseOwnLock(runDir);
    },
  };
}
