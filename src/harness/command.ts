/** The command harness: any program, by its argument vector, never a shell line. */
import { checkBounds } from './check-bounds.ts';
import { checkedCommand } from './program/checked.ts';
import { programEnv, type InheritEnv } from './program/env.ts';
import { judge } from './program/judge.ts';
import { recorder } from './program/recorder.ts';
import { refusal } from './program/refusal.ts';
import { runProgram } from './program/run-program.ts';
import { beginStint } from './program/stint.ts';
import { sweep } from './program/sweep.ts';
import { cancelled, cancelledBy, failWith, reasonOf } from './outcome.ts';
import type { Attempt, Harness, Outcome } from './port.ts';

/** Options of {@link command}. */
export interface CommandOptions {
  /** What members may need. Default none. */
  readonly capabilities?: readonly string[];
  /** Attempts at once on this host. Default: no limit of its own. */
  readonly concurrency?: number;
  /** Commands begun in any 60 s on this host; further ones wait. Default: no limit. */
  readonly ratePerMinute?: number;
  /** Variables added for every command; the invocation's own win over these. */
  readonly env?: Readonly<Record<string, string>>;
  /** How much of the host's environment commands inherit: all (true, the default), nothing, or the variables named. */
  readonly inheritEnv?: InheritEnv;
  /** Folder to run in; an invocation's relative `cwd` begins here. Default: the host's. */
  readonly cwd?: string;
  /** Patience of a cancel, ms: from SIGINT to SIGTERM (default 2,000), from there to SIGKILL (default 5,000). */
  readonly graceMs?: { readonly interrupt?: number; readonly terminate?: number };
  /** Output written to the attempt's file, bytes. What comes after is counted and left out. Default 64 MiB. */
  readonly outputBytesMax?: number;
  /** End of standard output and of standard error kept for the outcome, bytes each. Default 65,536. */
  readonly tailBytes?: number;
}

/** What a command that succeeded leaves: the member's output. */
export type CommandOutput = {
  readonly exitCode: number;
  /** The end of standard output, at most `tailBytes`; bytes that are not UTF-8 became U+FFFD. */
  readonly stdout: string;
  readonly stderr: string;
  /** More was written than `stdout` or `stderr` holds; the attempt's file has all of it up to its own bound. */
  readonly truncated: boolean;
};

/**
 * A harness that runs `invocation.command` in a process group of its own.
 *
 * - Its environment holds TROUPE_RUN, TROUPE_GROUP, TROUPE_MEMBER and the mark TROUPE_ATTEMPT=<key>, by which everything it
 *   starts is found again. Whatever it leaves running when it ends, daemons included, is ended as well.
 * - Outcome: see `judge`. A command that cannot be started, or an invocation that makes no sense (code BAD_INPUT), is class `refused`;
 *   a shortage of the machine is `overloaded`. `success.stdoutMatches` sees the kept end of standard output; `^` and `$` match at every line.
 * - Once the signal is aborted the outcome is `cancelled`, whatever the exit code: SIGINT to the group, then SIGTERM, then SIGKILL;
 *   it settles when nothing of it runs any more.
 * - Standard streams are sockets: a command that opens /dev/stdout or /dev/stderr by name is refused by Linux.
 *
 * Codes: BAD_INPUT.
 */
export function command(options: CommandOptions = {}): Harness {
  const { capabilities, concurrency, ratePerMinute } = options;
  checkBounds('command', options);
  return {
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(ratePerMinute === undefined ? {} : { ratePerMinute }),
    hasCircuit: false,
    perform: (attempt) => performCommand(attempt, options),
    sweep,
  };
}

async function performCommand(attempt: Attempt, options: CommandOptions): Promise<Outcome> {
  const checked = checkedCommand(attempt.invocation, options.cwd);
  if (typeof checked === 'string') return failWith('refused', 'BAD_INPUT', checked);
  const { argv, cwd, stdin } = checked;
  if (attempt.signal.aborted) return cancelledBy(attempt.signal);

  const stint = beginStint(attempt.signal);
  const env = programEnv(attempt, stint, options.inheritEnv ?? true, options.env, checked.env);
  const graceMs = { interrupt: options.graceMs?.interrupt ?? 2_000, terminate: options.graceMs?.terminate ?? 5_000 };
  const output = recorder(attempt, options.outputBytesMax ?? 64 * 2 ** 20, options.tailBytes ?? 65_536);
  const end = await runProgram({
    argv,
    cwd,
    stdin,
    env,
    key: attempt.key,
    signal: attempt.signal,
    graceMs,
    onOutput: output.take,
  }).finally(stint.end);
  const written = await output.close();

  switch (end.type) {
    case 'refused':
      return refusal({ file: argv[0] ?? '', cwd, path: env['PATH'], error: end.error });
    case 'cancelled':
      return end.survivors.length === 0
        ? cancelledBy(attempt.signal)
        : cancelled(`${reasonOf(attempt.signal)} (processes ${end.survivors.join(', ')} outlived SIGKILL)`);
    case 'exited':
      return judge(checked.success, { ...end, ...written, argv });
  }
}
