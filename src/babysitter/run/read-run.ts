/**
 * Reads a run directory: fast (synchronous reads of small files cost a twentieth of asynchronous ones), without a lock, and beside
 * writers: a file that is not whole yet has a temporary name, and is passed over.
 */
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TroupeError } from '../../error.ts';
import { isPlainObject } from '../../json.ts';
import { corrupt } from './corrupt.ts';
import { checksumOf, type EventData } from './event-text.ts';
import { readEventFileNames } from './listing.ts';
import { layoutVersion, parseEventFile, type EventName } from './names.ts';

/** An event of a run's journal. */
export interface RunEvent extends EventName {
  readonly type: string;
  /** ISO text; empty when the file does not say. */
  readonly recordedAt: string;
  readonly data: EventData;
  /** Name of its file. */
  readonly file: string;
}

/** What `run.json` says, as far as it matters here. */
export interface RunFacts {
  readonly runId: string;
  readonly processId: string;
  /** The process file, relative to the run directory. */
  readonly importPath: string;
  readonly exportName: string | undefined;
  /** The run's default harness; recorded with each event. */
  readonly harness: string | undefined;
  readonly createdAt: string;
}

/** True when a folder looks like a run directory of babysitter. */
export function isRunDir(folder: string): boolean {
  try {
    return statSync(join(folder, 'run.json')).isFile() && statSync(join(folder, 'journal')).isDirectory();
  } catch {
    return false;
  }
}

/** Reads `run.json`. Codes: RUN_UNKNOWN (no run directory), JOURNAL_FORMAT (another layout), JOURNAL_CORRUPT. */
export function readRunFacts(runDir: string): RunFacts {
  const file = join(runDir, 'run.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new TroupeError(
      'RUN_UNKNOWN',
      `expected ${runDir} to be a run directory of babysitter, but it has no readable run.json.`,
      { file, remedy: 'Check the path; babysitter keeps its runs in <project>/.a5c/runs/<run>.' },
      error,
    );
  }
  const facts = objectOf(text, file);
  if (facts['layoutVersion'] !== layoutVersion) {
    throw new TroupeError(
      'JOURNAL_FORMAT',
      `${file}: expected layoutVersion \`${layoutVersion}\`, got \`${String(facts['layoutVersion'])}\`.`,
      { file },
    );
  }
  const entrypoint = facts['entrypoint'] as Readonly<Record<string, unknown>> | undefined;
  const importPath = entrypoint?.['importPath'] ?? facts['processPath'];
  const { runId, processId, harness, createdAt } = facts;
  if (typeof runId !== 'string' || typeof processId !== 'string' || typeof importPath !== 'string') {
    throw corrupt(`${file}: expected runId, processId and entrypoint.importPath.`, { file });
  }
  const exportName = entrypoint?.['exportName'];
  return {
    runId,
    processId,
    importPath,
    exportName: typeof exportName === 'string' ? exportName : undefined,
    harness: typeof harness === 'string' && harness.trim() !== '' ? harness : undefined,
    createdAt: typeof createdAt === 'string' ? createdAt : '',
  };
}

/** Which events are wanted, and how. */
export interface ReadEvents {
  /** From this place on. Default 1. */
  readonly fromSeq?: number;
  /** Checksums too, of events that have one; babysitter itself verifies none. Default false. */
  readonly verify?: boolean;
}

/**
 * The run's events, in order. Codes: JOURNAL_CORRUPT for what babysitter would refuse as well, a gap or a repeated place for instance,
 * with its remedy.
 */
export function readEvents(runDir: string, { fromSeq = 1, verify = false }: ReadEvents = {}): readonly RunEvent[] {
  return eventNames(runDir)
    .slice(fromSeq - 1)
    .map(({ file, ...name }) => readEvent(runDir, file, name, verify));
}

/** The events that follow those known already, whose files' names are given; undefined when these have other names now. */
export function readFurther(
  runDir: string,
  known: readonly { readonly file: string }[],
): readonly RunEvent[] | undefined {
  const names = eventNames(runDir);
  if (known.some(({ file }, index) => names[index]?.file !== file)) return undefined;
  return names.slice(known.length).map(({ file, ...name }) => readEvent(runDir, file, name, false));
}

function eventNames(runDir: string): readonly (EventName & { readonly file: string })[] {
  let before: EventName | undefined;
  return readEventFileNames(runDir).events.map((file) => {
    const name = parseEventFile(file) as EventName;
    refuseDisorder(runDir, file, name, before);
    before = name;
    return { ...name, file };
  });
}

function refuseDisorder(runDir: string, file: string, { seq, ulid }: EventName, before: EventName | undefined): void {
  const expected = (before?.seq ?? 0) + 1;
  const trouble =
    seq === before?.seq
      ? `a second event in place ${seq}`
      : seq !== expected
        ? `expected place ${expected}`
        : ulid <= (before?.ulid ?? '')
          ? 'its ULID is not greater than the one before'
          : undefined;
  if (trouble === undefined) return;
  throw corrupt(
    `journal/${file}: ${trouble}; babysitter cannot replay the run so. Its own \`babysitter run:repair-journal ${basename(runDir)}\` gives the events new places.`,
    { file: join(runDir, 'journal', file), seq },
  );
}

function readEvent(runDir: string, file: string, name: EventName, verify: boolean): RunEvent {
  const path = join(runDir, 'journal', file);
  const body = objectOf(readFileSync(path, 'utf8'), path);
  const { type, recordedAt, data } = body;
  if (verify && typeof body['checksum'] === 'string') {
    const { checksum, ...signed } = body;
    if (checksumOf(signed) !== checksum)
      throw corrupt(`journal/${file}: its checksum is not that of its content.`, { file: path });
  }
  return {
    ...name,
    file,
    type: typeof type === 'string' ? type : 'UNKNOWN',
    recordedAt: typeof recordedAt === 'string' ? recordedAt : '',
    data: (isObject(data) ? data : {}) as EventData,
  };
}

/** A file of the run directory that holds a JSON object; undefined when it is missing. Codes: JOURNAL_CORRUPT. */
export function readObject(path: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOf(readFileSync(path, 'utf8'), path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function objectOf(text: string, file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw corrupt(`${file}: expected JSON: ${(error as Error).message}`, { file }, error);
  }
  if (!isObject(value)) throw corrupt(`${file}: expected a JSON object.`, { file });
  return value;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && isPlainObject(value);
