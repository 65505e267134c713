/**
 * One turn as one process: from its command line to the end of its turn. The process is alone in its group; nothing of it is
 * left when this resolves.
 */
import { refusal } from '../../program/refusal.ts';
import { runProgram, type ProgramEnd, type ProgramInput } from '../../program/run-program.ts';
import { tail } from '../../program/tail.ts';
import { turnFailed, turnFailedWith } from '../failure.ts';
import type { AgentEvent, AgentOpen, TurnEnd } from '../port.ts';
import type { CliExit, LineQuestion } from './dialect.ts';
import { linePipe } from './line-pipe.ts';
import type { CliProgram, CommandLine } from './program.ts';

/** What {@link runCliTurn} needs. */
export interface CliTurnOptions {
  readonly program: CliProgram;
  readonly commandLine: CommandLine;
  readonly prompt: string;
  readonly open: AgentOpen;
  /** Tries again of one model call that are waited for. */
  readonly retries: number;
  readonly limits: CliLimits;
  /** Hears the events of the turn. */
  onEvent(event: AgentEvent): void;
  onStarted(groupId: number): void;
}

/** Bounds of a turn's process. */
export interface CliLimits {
  /** Longest line taken, bytes. */
  readonly lineBytesMax: number;
  /** Its terminal line has come and nothing since: so long it may take to end, ms. */
  readonly exitMs: number;
  /** What a cancel in its own protocol may take, ms. */
  readonly interruptMs: number;
  /** From SIGINT to SIGTERM, and from there to SIGKILL, ms. */
  readonly graceMs: { readonly interrupt: number; readonly terminate: number };
}

/** A turn under way. */
export interface RunningCliTurn {
  readonly end: Promise<TurnEnd>;
  steer(text: string): 'injected' | 'refused';
  /** Ends it: in its own protocol where it has one, then by signals. */
  cancel(): void;
  /** Ends it by signals at once. */
  stop(): void;
}

const stderrBytes = 16_384;

/** Begins a turn. */
export function beginCliTurn(options: CliTurnOptions): RunningCliTurn {
  const { program, commandLine, prompt, open, retries, limits, onEvent } = options;
  const { name, input: protocol } = program;
  const ending = new AbortController();
  const errors = tail(stderrBytes);
  let input: ProgramInput | undefined;
  /** Why it is being ended by us; the first reason counts. */
  let why: 'cancelled' | 'hangs' | TurnEnd | undefined;
  let exitTimer: NodeJS.Timeout | undefined;
  let interruptTimer: NodeJS.Timeout | undefined;
  let questions = 0;

  const stop = (reason: NonNullable<typeof why>) => {
    why ??= reason;
    ending.abort(new Error('the turn is ended'));
  };
  const hear = (event: AgentEvent) => {
    onEvent(event);
    if (event.type !== 'retry' || event.attempt <= retries) return;
    const end = turnFailedWith(`${name} has tried ${event.attempt} times in vain: ${event.message}`);
    stop({ ...end, class: event.class });
  };
  const write = (line: string) => input?.write(`${line}\n`);
  const ask = (question: LineQuestion) => {
    questions += 1;
    const request = { ...question, id: question.id || String(questions) };
    const refused = (error: unknown) => ({
      allowed: false,
      note: error instanceof Error ? error.message : String(error),
    });
    void open
      .onPermission(request)
      .catch(refused)
      .then((answer) => {
        if (!answer.allowed) onEvent({ type: 'denied', tool: question.tool, message: answer.note ?? 'not allowed' });
        if (protocol !== undefined) write(protocol.answer(question, answer));
      });
  };
  /** Looked at after each line: a process whose turn is over is to end. */
  const lookAtEnd = () => {
    clearTimeout(exitTimer);
    if (!reader.isOver()) return;
    input?.end();
    exitTimer = setTimeout(() => stop('hangs'), limits.exitMs);
  };
  const reader = linePipe(program.dialect, limits.lineBytesMax, { emit: hear, ask, onLine: lookAtEnd });

  const run = async (): Promise<TurnEnd> => {
    const argv = [...program.command, ...commandLine.args];
    const env = { ...open.env, ...commandLine.env };
    const end = await runProgram({
      argv,
      cwd: open.cwd,
      env,
      stdin: commandLine.stdin,
      ...(protocol === undefined
        ? {}
        : {
            onInput(given: ProgramInput) {
              input = given;
              write(protocol.prompt(prompt));
            },
          }),
      key: open.key,
      signal: ending.signal,
      graceMs: limits.graceMs,
      onStarted: options.onStarted,
      async onOutput(from, chunk) {
        await open.onOutput?.(chunk);
        if (from === 'stderr') errors.push(chunk);
        // Its result stands: what it says of being ended is about no turn.
        else if (why !== 'hangs') reader.push(chunk);
      },
    });
    clearTimeout(exitTimer);
    clearTimeout(interruptTimer);
    return await ended(end, argv[0] ?? '', env['PATH']);
  };

  const ended = async (end: ProgramEnd, file: string, path: string | undefined): Promise<TurnEnd> => {
    if (end.type === 'refused') {
      const outcome = await refusal({ file, cwd: open.cwd, path, error: end.error });
      return outcome.status === 'error' ? outcome : turnFailed('AGENT_FAILED', `${name} did not start`);
    }
    if (why === 'cancelled') return { status: 'cancelled' };
    if (typeof why === 'object') return why;
    const exit: CliExit =
      end.type === 'exited'
        ? { exitCode: end.exitCode, signal: end.signal, stderr: errors.text() }
        : { exitCode: null, signal: null, stderr: errors.text() };
    return reader.end(exit);
  };

  return {
    end: run().catch((error: unknown) => turnFailed('AGENT_FAILED', `${name}: ${String(error)}`)),
    steer(text) {
      if (protocol === undefined || input === undefined || why !== undefined || reader.isOver()) return 'refused';
      write(protocol.steer(text));
      return 'injected';
    },
    cancel() {
      if (why !== undefined) return;
      // What it came to is there: only its process is to end.
      if (reader.isOver()) return stop('hangs');
      why = 'cancelled';
      if (protocol === undefined || input === undefined) return stop('cancelled');
      write(protocol.interrupt('cancel'));
      input.end();
      interruptTimer = setTimeout(() => stop('cancelled'), limits.interruptMs);
    },
    stop: () => stop('cancelled'),
  };
}
