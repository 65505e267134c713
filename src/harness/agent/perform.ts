/** One attempt performed by an agent: the bridge between the harness port and the agent port. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { programEnv, without } from '../program/env.ts';
import { outputFile } from '../program/output-file.ts';
import { beginStint, type Stint } from '../program/stint.ts';
import { cancelledBy, failWith } from '../outcome.ts';
import type { Attempt, Outcome } from '../port.ts';
import { cleanAttempt } from './clean-attempt.ts';
import { converse, type Conversation } from './conversation.ts';
import { codeOfFailure } from './failure.ts';
import type { MailboxServer } from './mailbox-server.ts';
import { meterOf } from './meter.ts';
import { withoutProxyTo } from './no-proxy.ts';
import { agentInput, type AgentOptions } from './options.ts';
import { AgentFailure, type Agent } from './port.ts';
import { redactor, type Redactor } from './redact.ts';

/** What Claude Code tells programs that run in it, as we may: another one refuses to start there, or talks to that one's editor. */
const outerSession = ['CLAUDECODE', 'CLAUDE_CODE_ENTRYPOINT', 'CLAUDE_CODE_SSE_PORT'];

/** Performs `given` by `agent`. Never rejects. */
export async function performByAgent(agent: Agent, given: Attempt, options: AgentOptions): Promise<Outcome> {
  const stint = beginStint(given.signal);
  return await perform(agent, given, options, stint).finally(stint.end);
}

async function perform(agent: Agent, given: Attempt, options: AgentOptions, stint: Stint): Promise<Outcome> {
  const { invocation, signal } = given;
  const { prompt } = invocation;
  if (typeof prompt !== 'string' || prompt.trim() === '')
    return failWith('refused', 'BAD_INPUT', `${agent.name} needs a \`prompt\`, and the invocation has none.`);
  const input = agentInput(invocation.input);
  if (typeof input === 'string') return failWith('refused', 'BAD_INPUT', input);
  if (signal.aborted) return cancelledBy(signal);

  const inherit = options.inheritEnv ?? true;
  const outer = inherit === true ? without(outerSession) : {};
  const env = defined(programEnv(given, stint, inherit, outer, options.env, invocation.env));
  const clean = redactor({ env, ...(options.secrets === undefined ? {} : { names: options.secrets }) });
  let mailbox: MailboxServer | undefined;
  const refused = (error: unknown, isSession = false): Outcome => ({
    status: 'error',
    class: error instanceof AgentFailure ? error.class : isSession ? 'crashed' : 'failed',
    error: clean.error(error),
  });
  const attempt = cleanAttempt(given, clean);
  try {
    mailbox = options.mailbox === 'none' ? undefined : await serving(options, attempt);
  } catch (error) {
    if (options.mailbox === 'required') return refused(error);
    attempt.progress({ line: `no mailbox can be served: ${clean.error(error).message}` });
  }
  // Its token is a secret like any other.
  for (const [name, value] of Object.entries(mailbox?.mcpServer.headers ?? {}))
    clean.add(name, value.replace(/^Bearer /, ''));
  const output = keeping(given, clean, options.outputBytesMax ?? 64 * 2 ** 20);
  const meter = meterOf(attempt.previousSessionSpent);
  const conversation: Omit<Conversation, 'session'> = {
    agent,
    attempt,
    task: prompt,
    input,
    options,
    cwd: resolve(options.cwd ?? '.', invocation.cwd ?? '.'),
    env: mailbox === undefined ? env : withoutProxyTo(new URL(mailbox.mcpServer.url).hostname, env),
    clean,
    mailbox,
    meter,
    onOutput: output.take,
  };
  const begin = () => converse({ ...conversation, session: { mode: 'new', id: randomUUID() } });
  const resumed = async (id: string) => {
    try {
      return await converse({ ...conversation, session: { mode: 'resume', id } });
    } catch (error) {
      // Whatever holds the session up: a new one can do the work as well, from the start.
      if (codeOfFailure(clean.error(error).message) !== 'SESSION_UNKNOWN') throw error;
      return { outcome: refused(error), isUnknown: true };
    }
  };
  try {
    const { previousSession } = attempt;
    if (previousSession !== undefined) {
      const { outcome, isUnknown } = await resumed(previousSession);
      if (!isUnknown || signal.aborted) return outcome;
      attempt.progress({ line: `session ${previousSession} is not there any more; a new one is opened` });
      meter.restart();
    }
    return (await begin()).outcome;
  } catch (error) {
    return signal.aborted ? cancelledBy(signal) : refused(error, true);
  } finally {
    await mailbox?.close();
    const error = await output.close();
    if (error !== undefined) attempt.progress({ line: `output not kept: ${error.message}` });
  }
}

async function serving({ serveMailbox }: AgentOptions, attempt: Attempt): Promise<MailboxServer> {
  const serve = serveMailbox ?? (await import('./mcp/serve-mailbox.ts')).serveMailbox;
  return await serve(attempt);
}

function defined(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Keeps the agent's raw output, cleaned, in the attempt's file. */
function keeping(attempt: Attempt, redact: Redactor, bytesMax: number) {
  const file = attempt.outputFile === undefined ? undefined : outputFile(attempt.outputFile, bytesMax);
  const clean = redact.stream();
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  return {
    take(chunk: Uint8Array): Promise<void> | void {
      return file?.write(encoder.encode(clean.push(decoder.decode(chunk, { stream: true }))));
    },
    async close() {
      await file?.write(encoder.encode(clean.push(decoder.decode()) + clean.end()));
      return await file?.close();
    },
  };
}
