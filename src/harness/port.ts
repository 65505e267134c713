/**
 * The harness port: doing. A harness performs attempts; it never talks to an actor, only through
 * what it returns and reports, which the host makes entries of.
 */
import type { JsonValue } from '../json.ts';

/** An error as a plain object: what of a thrown value can stand in a journal. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: PlainError;
}

/** How an attempt went wrong; drives retry and fallback. */
export type FailureClass =
  | 'auth'
  | 'crashed'
  | 'failed'
  | 'invalid-output'
  | 'overloaded'
  | 'rate-limited'
  | 'refused'
  | 'timeout';

/** How an attempt ended: a value, not an exception. */
export type Outcome =
  | { readonly status: 'ok'; readonly output: JsonValue }
  | { readonly status: 'error'; readonly error: PlainError; readonly class: FailureClass }
  | { readonly status: 'cancelled'; readonly reason: string };

/** How often and how patiently a failed attempt is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first included. Default 1 (no retry), at least 1, at most 100. */
  readonly attempts?: number;
  /** Wait before the second attempt, ms. Default 1,000. */
  readonly minMs?: number;
  /** Each further wait is this much longer. Default 2, at least 1. */
  readonly factor?: number;
  /** No wait is longer than this, ms. Default 60,000. */
  readonly maxMs?: number;
  /** Share of each wait that is drawn by the journal's seed, 0 to 1. Default 0.2. */
  readonly jitter?: number;
  /** Which failures are tried again. Default: crashed, failed, overloaded, rate-limited, timeout. */
  readonly on?: readonly FailureClass[];
}

/** What is wanted of a member: the input of the `member` actor. Plain JSON. */
export interface Invocation {
  /** Which harness performs it, by name. Default: `command` when there is a command, else the host's default. */
  readonly harness?: string;
  /** Capabilities that the harness must declare. */
  readonly needs?: readonly string[];
  /** What to say to an agent. */
  readonly prompt?: string;
  /** Program and arguments, never a shell line. */
  readonly command?: readonly string[];
  /** Text for the command's standard input; without it the input is empty. */
  readonly stdin?: string;
  /** Variables added to the command's environment. */
  readonly env?: { readonly [name: string]: string };
  /** Folder to run in; default the host's. */
  readonly cwd?: string;
  /** What counts as success for a command: exit codes (default [0]) and, if given, a regular expression its standard output must match. */
  readonly success?: { readonly exitCodes?: readonly number[]; readonly stdoutMatches?: string };
  /** Anything else that the harness understands. */
  readonly input?: JsonValue;
  /** One attempt may take this long, ms. Default: no limit. */
  readonly timeoutMs?: number;
  readonly retry?: RetryPolicy;
  /**
   * May an attempt that was under way when the host died be made again? Default true. When false it is
   * settled as `INTERRUPTED` (class crashed) for the coordinator to decide.
   */
  readonly restartable?: boolean;
}

/** What a harness tells while it works; coalesced into `member.progress` entries. */
export interface Progress {
  /** Last line of output, or what it is doing now. */
  readonly line?: string;
  readonly data?: JsonValue;
}

/** One try at an invocation, as handed to a harness. */
export interface Attempt {
  readonly run: string;
  readonly group: string;
  /** Address of the member in its group. */
  readonly member: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** `<run>/<group>/<member>#<incarnation>/<attempt>`: the idempotency key (G4). */
  readonly key: string;
  readonly invocation: Invocation;
  /** Aborted when the attempt is to end early; `signal.reason` says why. The harness settles soon after. */
  readonly signal: AbortSignal;
  /** Where the whole output may be written; undefined when the journal has no files. */
  readonly outputFile: string | undefined;
  /** Reports progress; may be called often. Never throws. */
  progress(progress: Progress): void;
}

/** Somebody who performs invocations. */
export interface Harness {
  readonly capabilities?: readonly string[];
  /** Attempts at once on this host. Default: no limit of its own. */
  readonly concurrency?: number;
  /**
   * Performs one attempt and resolves to its outcome. Ends within seconds of `signal` aborting, and leaves
   * nothing running behind. A rejection is recorded as outcome `error`, class `failed`.
   */
  perform(attempt: Attempt): Promise<Outcome>;
  /**
   * Ends whatever an attempt of this key left running when its host died. Called before the attempt is
   * made again or given up; resolves when nothing of it runs any more.
   */
  sweep?(key: string): Promise<void>;
  /** Takes up an attempt that was under way when its host died; undefined when it cannot be found. */
  reattach?(attempt: Attempt): Promise<Outcome | undefined>;
  /** Called once when the host closes. */
  close?(): Promise<void>;
}

/** Harnesses by name. */
export type Harnesses = Readonly<Record<string, Harness>>;
