/** `troupe/babysitter`: groups inside the runs of babysitter. */
export { group, type BabysitterContext, type GroupOptions, type TaskBuildContext } from './group.ts';
export type { GroupOutcome } from './group-result.ts';
export { groupIdOf } from './run/hash.ts';
export { openRunFolder, type RunFolder } from './run/run-folder.ts';
export { isRunDir, readEvents, type ReadEvents, type RunEvent, type RunFacts } from './run/read-run.ts';
export type { EffectIndex, EffectRecord } from './run/effects.ts';
export type { EffectError, EffectResult } from './run/result-file.ts';
export type { EventData } from './run/event-text.ts';
export type { LockOptions } from './run/lock.ts';
export type { EventName } from './run/names.ts';
export type { NewEvent } from './run/write-events.ts';
