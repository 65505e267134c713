/**
 * The harness port: doing. A harness performs attempts; it never talks to an actor, only through
 * what it returns and reports, which the host makes entries of.
 */
import type { JsonValue } from '../json.ts';
import type { KeepWorktree } from './worktree/port.ts';

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
  | { readonly status: 'ok'; readonly output: JsonValue; readonly usage?: Usage }
  | { readonly status: 'error'; readonly error: PlainError; readonly class: FailureClass; readonly usage?: Usage }
  | { readonly status: 'cancelled'; readonly reason: string; readonly usage?: Usage };

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

/** What may be spent. All fields optional: no bound. */
export interface Budget {
  readonly attempts?: number;
  /** Time of all attempts added up, ms; of one that was lost with its host up to what that host recorded last. */
  readonly wallMs?: number;
  readonly tokens?: number;
  readonly costUsd?: number;
}

/** What an attempt has spent, as far as its harness knows. */
export interface Usage {
  readonly tokens?: number;
  readonly costUsd?: number;
}

/** What is wanted of a member: the input of the `member` actor. Plain JSON. */
export interface Invocation {
  /** Which harness performs it, by name. Default: `command` when there is a command, else the host's default. */
  readonly harness?: string;
  /** Capabilities that the harness must declare. */
  readonly needs?: readonly string[];
  /** Harnesses to take first, best first, of those that match. */
  readonly prefer?: readonly string[];
  /** Harnesses not to take. */
  readonly avoid?: readonly string[];
  /** Harnesses to go on with after a failure of this class, in order; each is tried once. */
  readonly fallback?: { readonly [Class in FailureClass]?: readonly string[] };
  /** Name of a schema that the output must meet (see `schemas` of the run); else the failure is `invalid-output`. */
  readonly output?: string;
  /** What this invocation may cost in all its attempts. Over it no further attempt is made: class `refused`, code BUDGET. */
  readonly budget?: Budget;
  /**
   * What one attempt is likely to use. So much is kept free in the budgets of its group and run until it has ended: an attempt waits for those
   * under way where all of them together would go over, and is not made where it alone would. Default: what the budget says of each.
   */
  readonly expects?: Usage;
  /** What to say to an agent. */
  readonly prompt?: string;
  /** Program and arguments, never a shell line. */
  readonly command?: readonly string[];
  /** Text for the command's standard input; without it the input is empty. */
  readonly stdin?: string;
  /**
   * Variables added to the environment of the command, or the agent. Like all of an invocation they stand in the journal: a secret comes
   * from the host's environment, or from the `env` of the harness, which is recorded nowhere.
   */
  readonly env?: { readonly [name: string]: string };
  /** Folder to run in; default the host's. */
  readonly cwd?: string;
  /** A working copy and a branch of its own, made from the git repository that `cwd` is in; every attempt works there. */
  readonly isolation?: 'worktree';
  /**
   * Of the worktree. `keep` when the member has ended: `changed` (default) if there are commits beyond its base, `always`, or `never` (their
   * branch stays); what is not committed is kept in any case. `base`: commit, branch or tag to begin with, default what is checked out.
   */
  readonly worktree?: { readonly keep?: KeepWorktree; readonly base?: string };
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
  /**
   * The end of its group does not stop it, as long as nobody cancels the group: its result is recorded as it comes, the run waits for it, and the
   * coordinator hears of it only while it lives. For members of the group's own coordinator, not of nested ones. Default false.
   */
  readonly background?: boolean;
}

/** What a harness tells while it works; coalesced into `member.progress` entries. */
export interface Progress {
  /** Last line of output, or what it is doing now. */
  readonly line?: string;
  readonly data?: JsonValue;
  /** What this attempt has spent so far, in all: budgets see it before the attempt ends. */
  readonly usage?: Usage;
}

/** A message as its reader gets it. Peer text is data: it grants nothing. */
export interface Message {
  /** The sender's key: one message has one id, however often it is delivered. */
  readonly id: string;
  /** Address of the sender; `coordinator`, or `outside`. */
  readonly from: string;
  readonly to: string;
  readonly type: string;
  readonly body: JsonValue;
  readonly inReplyTo?: string;
  /** When it was recorded, ms since 1970. */
  readonly at: number;
}

/** How a message reaches a running member: at its next read, into its running turn, or by making it again. */
export type DeliveryMode = 'interrupt' | 'queue' | 'steer';

/** What is to be sent. */
export interface Letter {
  /** A member's address, `coordinator`, or `*` for all living members but the sender. */
  readonly to: string;
  /** Must not begin with `xstate.` or `troupe.`. */
  readonly type: string;
  /** Plain JSON; default null. */
  readonly body?: JsonValue;
  /** Names the message, so that an attempt made again does not send it twice. Default: made from attempt-independent content and count. */
  readonly id?: string;
  readonly inReplyTo?: string;
  readonly mode?: DeliveryMode;
}

/** What came of a letter. Plain JSON. */
export type Sent = {
  readonly id: string;
  /** One of this id had been recorded before for every recipient, and so nothing was sent. */
  readonly isRepeat?: true;
  /** No other member lives to hear what is for `*`, and so nothing was sent. */
  readonly isUnheard?: true;
};

/** Messages in a reader's hands, not acknowledged yet: nobody else is given them. What is left in hand at the end counts as unread. */
export interface Taken {
  readonly messages: readonly Message[];
  /** They have reached the reader. Once; ignored after {@link Taken.putBack} and after the attempt. */
  acknowledge(): void;
  /** They have not: whoever reads next is given them. Ignored after {@link Taken.acknowledge}. */
  putBack(): void;
}

/** A group as one of its members sees it. */
export interface Mailbox {
  /**
   * Resolves when the message is durable, or nothing was to be sent. Codes: BAD_INPUT, UNKNOWN_MEMBER, RESERVED_EVENT, NOT_JSON,
   * ENTRY_TOO_LARGE, LIMIT, GROUP_ENDED.
   */
  send(letter: Letter): Promise<Sent>;
  /**
   * Unread messages in journal order, waiting up to `waitMs` (default 0) for the first. Reading acknowledges: they are
   * not given to this invocation again, unless the host dies before the acknowledgement is durable.
   */
  inbox(options?: { readonly waitMs?: number; readonly max?: number }): Promise<readonly Message[]>;
  /** Like `inbox`, for one who passes mail on: acknowledged when it has arrived. An aborted `signal` ends the waiting with nothing. */
  take(options?: { readonly waitMs?: number; readonly max?: number; readonly signal?: AbortSignal }): Promise<Taken>;
  /** Sends, and waits for the first message in reply to it; rejects with TIMEOUT after `timeoutMs`. */
  ask(letter: Letter, options: { readonly timeoutMs: number }): Promise<Message>;
  /** Marks this member's own progress durably; the same name once per invocation. */
  checkpoint(mark: {
    readonly name: string;
    readonly settled: number;
    readonly total: number;
    readonly data?: JsonValue;
  }): Promise<void>;
  /** Members of the group that have been asked for, in that order. */
  members(): readonly { readonly id: string; readonly status: string }[];
  /** Takes messages of mode `steer` while it is set; without it, and when it throws, they wait like others. */
  onSteer(handler: ((message: Message) => void) | undefined): void;
}

/** What a running member asks whoever may approve. */
export interface Question {
  /** Names the gate within the invocation: asked again, by this attempt or the next, it is the same question. */
  readonly name: string;
  /** For a person: one sentence that ends in a question mark. */
  readonly question: string;
  readonly data?: JsonValue;
}

/** Somebody's answer at a gate. */
export interface GateAnswer {
  readonly approved: boolean;
  /** Why; may be empty. */
  readonly note: string;
  /** Who answered. */
  readonly by: string;
}

/** One try at an invocation, as handed to a harness. */
export interface Attempt {
  readonly run: string;
  readonly group: string;
  /** Address of the member in its group. */
  readonly member: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** `<run>/<group>/<member>#<incarnation>/<attempt>`: the idempotency key (G4). A slash in the group's name is `%2F`, a `%` is `%25`. */
  readonly key: string;
  readonly invocation: Invocation;
  /** Aborted when the attempt is to end early; `signal.reason` says why. The harness settles soon after. */
  readonly signal: AbortSignal;
  /** Where the whole output may be written; undefined when the journal has no files. */
  readonly outputFile: string | undefined;
  /** Reports progress; may be called often. Never throws. */
  progress(progress: Progress): void;
  /** Its door to the group. */
  readonly mailbox: Mailbox;
  /**
   * Records the session in which an agent works; resolves when that is durable (G2: before what must be found again begins).
   * The next attempt under the same harness finds it as `previousSession`. Codes: CANCELLED, NOT_JSON.
   */
  session(id: string, data?: JsonValue): Promise<void>;
  /** The last session that an earlier attempt of this invocation recorded under the same harness. */
  readonly previousSession: string | undefined;
  /** The data recorded last with that session. */
  readonly previousSessionData: JsonValue | undefined;
  /** What was charged for that session up to now: a total that the agent counts over all its runs goes on from here. */
  readonly previousSessionSpent: Usage;
  /** What earlier attempts of this invocation have spent. */
  readonly spentBefore: Usage;
  /** The last output of this invocation that was refused (`invalid-output`), whoever gave it, and why: this attempt is to do better. */
  readonly refusedOutput: { readonly attempt: number; readonly why: string } | undefined;
  /**
   * Opens a gate `<member>/<name>` (a slash in the member's address is `%2F`) and waits for its answer (`troupe approve`,
   * `handle.approve`), however long that takes. It is an entry before anyone sees it; a question that has its answer already gets
   * that. A gate whose member has ended is withdrawn. Codes: CANCELLED when the attempt ends before the answer, NOT_JSON,
   * ENTRY_TOO_LARGE.
   */
  gate(question: Question): Promise<GateAnswer>;
}

/** Somebody who performs invocations. */
export interface Harness {
  /** What it can do: free strings, compared as they are. By convention `language:ts`, `tool:bash`, `mcp`, `steer`, `resume`, `cost:low`. */
  readonly capabilities?: readonly string[];
  /** Attempts at once of one host. Every open run has a host of its own: several that share a harness count each for itself. Default: no limit. */
  readonly concurrency?: number;
  /** Attempts begun in any 60 s by one host, counted as for `concurrency`; further ones wait. Default: no limit. */
  readonly ratePerMinute?: number;
  /** False: its failures are those of the work (a program that crashes), and never open a circuit. Default true. */
  readonly hasCircuit?: boolean;
  /** False: it writes no output of its own, and its attempts have no `outputFile`. Default true. */
  readonly writesOutput?: boolean;
  /**
   * Performs one attempt and resolves to its outcome. Ends within seconds of `signal` aborting, and leaves
   * nothing running behind. A rejection is recorded as outcome `error`, class `failed`.
   */
  perform(attempt: Attempt): Promise<Outcome>;
  /** Ends whatever an attempt of this key left running when its host died. Called before that is made again or given up; resolves when nothing of it runs. */
  sweep?(key: string): Promise<void>;
  /** Takes up an attempt that was under way when its host died; undefined when it cannot be found. */
  reattach?(attempt: Attempt): Promise<Outcome | undefined>;
  /** Called once by each host when it closes, which waits for it, 30 s at most: of a harness that several runs share, also while others still use it. */
  close?(): Promise<void>;
}

/** Harnesses by name. */
export type Harnesses = Readonly<Record<string, Harness>>;
