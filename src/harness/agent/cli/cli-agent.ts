/** An agent CLI as an agent: each turn is a process of its own, in one session that goes on from turn to turn. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stintOf } from '../../program/marker.ts';
import { privateFolder } from '../private-folder.ts';
import { turnFailed } from '../failure.ts';
import type { Agent, AgentEvent, AgentOpen, AgentSession, TurnEnd } from '../port.ts';
import { beginCliTurn, type CliLimits, type RunningCliTurn } from './cli-turn.ts';
import type { CliProgram, Sandbox } from './program.ts';

/** What a CLI is used with. */
export interface CliSettings {
  readonly sandbox?: Sandbox | undefined;
  readonly retries?: number | undefined;
  readonly args?: readonly string[] | undefined;
  readonly limits?: Partial<CliLimits> | undefined;
}

const limitsByDefault: CliLimits = {
  lineBytesMax: 8 * 2 ** 20,
  exitMs: 5_000,
  interruptMs: 1_000,
  graceMs: { interrupt: 2_000, terminate: 5_000 },
};

/** Makes the agent. Opening a session starts nothing: a CLI that cannot be started says so at the first turn. */
export function cliAgent(program: CliProgram, settings: CliSettings = {}): Agent {
  return {
    name: program.name,
    open: (open) => Promise.resolve(sessionOf(program, settings, open)),
  };
}

function sessionOf(program: CliProgram, settings: CliSettings, open: AgentOpen): AgentSession {
  const { sandbox = 'read-only', retries = 2, args = [], limits } = settings;
  const { name, capabilities } = program;
  const isResumed = open.session.mode === 'resume';
  let id = isResumed || capabilities.presetSession ? (open.session.id ?? randomUUID()) : undefined;
  /** The CLI knows the session: the next turn goes on in it. */
  let isKnown = isResumed;
  let isClosed = false;
  let running: RunningCliTurn | undefined;
  let busy: Promise<TurnEnd> | undefined;
  let groups: readonly number[] = [];
  let ownFolder: ReturnType<typeof privateFolder> | undefined;
  let files = 0;

  const emit = (event: AgentEvent) => {
    if (!isClosed) open.onEvent(event);
  };
  const onEvent = (event: AgentEvent) => {
    if (event.type !== 'session') {
      if (event.type !== 'notice' && event.type !== 'retry' && event.type !== 'mcp-failed') isKnown = true;
      return emit(event);
    }
    if (event.id === '') return;
    isKnown = true;
    // Told once: a CLI that gives a session that goes on another id keeps the one before as well.
    if (id !== undefined) return;
    id = event.id;
    emit(event);
  };
  const place = async (fileName: string) => {
    ownFolder ??= privateFolder(open.key, stintOf(open.env));
    files += 1;
    return join((await ownFolder).path, `${files}-${fileName}`);
  };
  const file = async (fileName: string, content: string) => {
    const path = await place(fileName);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const folder = async (folderName: string) => {
    const path = await place(folderName);
    await mkdir(path, { mode: 0o700 });
    return path;
  };
  const closed = () => turnFailed('AGENT_FAILED', `the session with ${name} is closed.`);

  const turn = async (prompt: string): Promise<TurnEnd> => {
    const commandLine = await program.commandLine({
      prompt,
      session: { id, isNew: !isKnown },
      mcpServers: capabilities.mcp ? open.mcpServers : [],
      model: open.model,
      outputSchema: open.outputSchema,
      costUsdMax: open.costUsdMax,
      sandbox,
      retries,
      env: open.env,
      cwd: open.cwd,
      file,
      folder,
    });
    if (isClosed) return { status: 'cancelled' };
    const before = isCancelled;
    running = beginCliTurn({
      program,
      commandLine: { ...commandLine, args: withArgs(program, args, commandLine.args) },
      prompt,
      open: { ...open, onEvent: emit },
      retries,
      limits: { ...limitsByDefault, ...limits },
      onEvent,
      onStarted: (groupId) => void (groups = [groupId]),
    });
    if (before) running.cancel();
    try {
      return await running.end;
    } finally {
      running = undefined;
      groups = [];
    }
  };
  /** A session that was lost in its first turn (some are not written before its end) holds nothing to go on with: it begins anew. */
  const turnOrAnew = async (prompt: string): Promise<TurnEnd> => {
    const mayBeLost = isKnown && !isResumed && !hasCompleted;
    let end = await turn(prompt);
    if (mayBeLost && end.status === 'error' && end.error.code === 'SESSION_UNKNOWN') {
      isKnown = false;
      if (!capabilities.presetSession) id = undefined;
      end = await turn(prompt);
    }
    // Whatever it has told besides: a turn that went well was one of the session.
    if (end.status === 'ok') hasCompleted = isKnown = true;
    return end;
  };
  /** A turn of this session has ended well. */
  let hasCompleted = false;
  /** Cancelled before its process was there. */
  let isCancelled = false;

  if (id !== undefined) open.onEvent({ type: 'session', id });
  return {
    get id() {
      return id;
    },
    capabilities,
    get pids() {
      return groups;
    },
    async prompt(text) {
      if (isClosed) return closed();
      if (busy !== undefined) return turnFailed('AGENT_FAILED', `${name} is in the middle of a turn.`);
      isCancelled = false;
      busy = turnOrAnew(text).catch((error: unknown) => turnFailed('AGENT_FAILED', `${name}: ${String(error)}`));
      try {
        return await busy;
      } finally {
        busy = undefined;
      }
    },
    ...(capabilities.steer === 'none'
      ? {}
      : { steer: (text: string) => Promise.resolve(running?.steer(text) ?? ('refused' as const)) }),
    async cancel() {
      if (busy === undefined) return;
      isCancelled = true;
      running?.cancel();
      await busy;
    },
    async close() {
      isClosed = true;
      running?.stop();
      await busy;
      const made = await ownFolder?.catch(() => undefined);
      await made?.remove();
    },
  };
}

/** Additional arguments come first, but after the program. */
function withArgs({ command }: CliProgram, added: readonly string[], words: readonly string[]): readonly string[] {
  return command.length > 0 ? [...added, ...words] : [...words.slice(0, 1), ...added, ...words.slice(1)];
}
