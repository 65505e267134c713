/** Driving a run in a test: memory journal, scripted harness, hand clock. */
import {
  defineProcess,
  openRun,
  type Harnesses,
  type JsonValue,
  type Observer,
  type OpenOptions,
  type Process,
  type Run,
  type RunOptions,
  type RunResult,
} from 'troupe';
import { scripted, type Script, type ScriptedHarness } from 'troupe/harness';
import { caller, type CallerInput } from './caller.ts';
import { dyingStore, entriesOf, memoryStore, type Death, type MemoryStore } from './dying-store.ts';
import { handClock, passing, settle, type HandClock } from './hand-clock.ts';

/** Everything of a run that outlives its hosts. */
export interface Stage {
  readonly store: MemoryStore;
  readonly clock: HandClock;
  readonly harness: ScriptedHarness;
  readonly process: Process<never, unknown>;
  readonly options: Partial<RunOptions>;
}

/** Makes a stage; `script` is the scripted harness's, which is called `scripted` and is the default. */
export function stage(process: Process<never, unknown>, script?: Script, options: Partial<RunOptions> = {}): Stage {
  const clock = handClock();
  return { store: memoryStore(), clock, harness: scripted(script, { clock }), process, options };
}

/** Opens the stage's run `run`. */
export function open(stage: Stage, more: Partial<RunOptions> = {}): Promise<Run> {
  const { store, clock, harness, process, options } = stage;
  const harnesses: Harnesses = { scripted: harness };
  return openRun({ store, process, run: 'run', harnesses, defaultHarness: 'scripted', clock, ...options, ...more });
}

/** Opens the run, drives it to its end while time passes, and closes it. */
export async function finished(stage: Stage, more: Partial<RunOptions> = {}): Promise<RunResult> {
  const run = await open(stage, more);
  try {
    return await passing(stage.clock, run.drive());
  } finally {
    await passing(stage.clock, run.close());
  }
}

/**
 * Drives the run under a host that is killed at one of its appends. Resolves to its end when it ended before that,
 * undefined when the host died; the lease is then free for the next.
 */
export async function killed(
  stage: Stage,
  death: Death,
  more: Partial<RunOptions> = {},
): Promise<RunResult | undefined> {
  const store = dyingStore(stage.store, death);
  const died = store.died.then(() => undefined);
  const run = await Promise.race([open(stage, { ...more, store }), died]);
  const end = run === undefined ? undefined : await passing(stage.clock, Promise.race([run.drive(), died]));
  if (end !== undefined) await passing(stage.clock, run?.close() ?? Promise.resolve());
  await settle();
  stage.store.abandon('run');
  return end;
}

/** An observer that keeps what it is told. */
export function watching(): Required<Pick<Observer, 'entry' | 'notice' | 'replayed'>> & {
  readonly entries: string[];
  readonly notices: string[];
  readonly replays: string[];
} {
  const entries: string[] = [];
  const notices: string[] = [];
  const replays: string[] = [];
  return {
    entries,
    notices,
    replays,
    entry: ({ stream, type }) => void entries.push(`${stream} ${type}`),
    replayed: ({ stream, type }) => void replays.push(`${stream} ${type}`),
    notice: ({ kind }) => void notices.push(kind),
  };
}

/** A process of one group `group` of the {@link caller}, which ends as that ends. */
export function calling(input: CallerInput, options: OpenOptions = {}): Process<never, unknown> {
  return defineProcess('calling', async (ctx) => ctx.group('group', caller, input, options).output);
}

/** Signals the open group `group`; every signal has an id of its own. */
export async function tell(run: Run, type: string, more: Readonly<Record<string, JsonValue>> = {}): Promise<void> {
  signals += 1;
  await run.signal('group', { type, ...more }, { id: `signal-${signals}` });
  await settle();
}
let signals = 0;

/** Starts driving and lets everything happen that needs no clock. */
export async function driven(
  stage: Stage,
  more: Partial<RunOptions> = {},
): Promise<{ readonly run: Run; readonly end: Promise<RunResult> }> {
  const run = await open(stage, more);
  const end = run.drive();
  end.catch(() => {});
  await settle();
  return { run, end };
}

/** `type` and chosen fields of a stream's entries, one text each. */
export async function story(
  stage: Stage,
  stream = 'group:group',
  fields: readonly string[] = ['member', 'attempt'],
): Promise<string[]> {
  const entries = await entriesOf(stage.store);
  return entries
    .filter((entry) => entry.stream === stream)
    .map(({ type, data }) =>
      [
        type,
        ...fields.flatMap((field) => (data as Readonly<Record<string, number | string | undefined>>)[field] ?? []),
      ].join(' '),
    );
}
