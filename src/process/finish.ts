/** How a run ends: when the function is over, and so are all groups that it opened. */
import { TroupeError } from '../error.ts';
import { streamOf } from '../group/fold.ts';
import type { Host } from '../group/host.ts';
import { plainError } from '../harness/plain-error.ts';
import { toJson, type JsonValue } from '../json.ts';
import { endKey } from './deliveries.ts';
import type { Pass } from './pass.ts';
import type { RunEnd } from './run-view.ts';

/**
 * Records how the run ended, if `mayEnd` still says so then. What the function threw ends it as failed, after its groups
 * have been cancelled. Nothing is recorded when the host has failed, when the output is not JSON, or when the function did
 * not open what is recorded: the author has something to mend first, and the run goes on then.
 * Codes: NONDETERMINISM, NOT_JSON, and whatever the host failed with.
 */
export async function finish(host: Host, current: Pass, mayEnd: () => boolean): Promise<RunEnd> {
  const outcome = await current.outcome;
  const end =
    outcome.status === 'returned'
      ? await completed(host, current, outcome.value)
      : await failed(host, current, outcome.error);
  // Of a run that has ended nothing runs, so that nobody needs to look after it again.
  await host.idle();
  if (host.hasFailed()) return await host.failure;
  if (!mayEnd()) return await new Promise<never>(() => {});
  await host.record('run.ended', end as unknown as JsonValue);
  return end;
}

async function completed(host: Host, current: Pass, value: unknown): Promise<RunEnd> {
  const unwanted = current.unwanted();
  if (unwanted.size > 0) {
    const groups = (await host.allOpened()).filter(({ name }) => unwanted.has(name));
    await Promise.all(groups.map((group) => group.cancel('the process has returned')));
  }
  await groupsEnded(host, current);
  await refuseForgotten(host, current);
  return { status: 'completed', output: toJson(value ?? null, 'output of the process') };
}

async function failed(host: Host, current: Pass, thrown: unknown): Promise<RunEnd> {
  const error = plainError(thrown);
  await current.settled();
  await refuseForgotten(host, current, thrown);
  // What is cancelled may be answered, by a branch that still runs, with another group.
  do {
    const groups = await host.allOpened();
    // A mistake stops the host before it is thrown: then nothing is cancelled because of it.
    if (host.hasFailed()) return await host.failure;
    await Promise.all(groups.map((group) => group.cancel(`the process failed: ${error.message}`)));
    await current.settled();
  } while (!haveEnded(current));
  return { status: 'failed', error };
}

const haveEnded = ({ deliveries, opened }: Pass) =>
  [...opened()].every((name) => deliveries.delivered(endKey(name)) !== undefined);

/** Waits for all groups and what goes on of them, those included that are opened by what still runs when another one ends. */
async function groupsEnded(host: Host, current: Pass): Promise<void> {
  do {
    for (const name of current.opened()) await current.deliveries.wait(endKey(name));
    for (const group of await host.allOpened()) await group.over();
    await current.settled();
  } while (!haveEnded(current));
}

/** What may be the matter, by the versions of the function that have driven the run. */
function changeOf(current: Pass): string {
  const [before, now] = current.versions().slice(-2);
  if (before === undefined || now === undefined)
    return 'The process function is the same as before: it calls something that changed, or reads something that is not in the journal.';
  return `The process function changed (version ${before} → ${now}).`;
}

/** With everything recorded before it, the same function opens at least the groups that are recorded. */
async function refuseForgotten(host: Host, current: Pass, cause?: unknown): Promise<void> {
  const opened = current.opened();
  const forgotten = [...host.recordedGroups].filter((name) => !opened.has(name));
  const [first] = forgotten;
  if (first === undefined) return;
  const found =
    cause === undefined
      ? 'a process that returned without opening it'
      : `a process that failed without opening it (${plainError(cause).message})`;
  const at = await entriesBefore(host, forgotten);
  throw new TroupeError(
    'NONDETERMINISM',
    `group${forgotten.length > 1 ? 's' : ''} ${forgotten.map((name) => `\`${name}\``).join(', ')}, entry 1: recorded group.created, found ${found}. ${changeOf(current)} Nothing is lost: run the code that wrote the journal, or go on in a fork that ends before it: \`troupe fork ${host.journal.run} --at ${at}\`.`,
    { stream: streamOf(first), seq: 1, expected: 'group.created', found, at },
    cause,
  );
}

/**
 * How many entries the run has before the first of these groups: a fork of so many knows none of them. Where two versions of the
 * function have each begun groups that the other has not, neither can go on but in one.
 */
async function entriesBefore({ journal }: Host, groups: readonly string[]): Promise<number> {
  const streams = new Set(groups.map(streamOf));
  let count = 0;
  for await (const entries of journal.read(undefined, 1, { isLazy: true })) {
    const found = entries.findIndex(({ stream }) => streams.has(stream));
    if (found >= 0) return count + found;
    count += entries.length;
  }
  return count;
}
