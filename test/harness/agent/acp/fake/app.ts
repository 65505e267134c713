/**
 * A small agent of its own: sessions, turns, tools, permissions, with the mock model's decisions for a model. It is an app of the
 * official SDK, served in process or by `main.ts` on standard streams.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { agent, type AgentApp, type AgentContext, RequestError } from '@agentclientprotocol/sdk';
import { decide } from '../../../../agents/model/decide.ts';
import type { JsonObject, OfferedTool, Said } from '../../../../agents/model/question.ts';
import { callTool, type NamedServer, toolsOf } from './mcp-client.ts';
import { askForMore, makeNoise, said, update } from './misbehaviour.ts';
import { modelOption } from './model-option.ts';
import type { Quirks } from './quirks.ts';
import type { Transcripts } from './session.ts';

/** Tools of its own: name to what it does. */
export type OwnTools = Readonly<Record<string, (args: JsonObject, signal: AbortSignal) => Promise<string>>>;

/** What a fake agent is made of. */
export interface FakeAgent {
  readonly quirks?: Quirks;
  readonly transcripts: Transcripts;
  readonly ownTools?: OwnTools;
  /** Writes a line that is no message, where there is such a place. */
  readonly babble?: (line: string) => void;
  /** Ends the process. */
  readonly die?: () => never;
  readonly now?: () => number;
}

type FakeTool = OfferedTool & { readonly server?: NamedServer };

interface Session {
  readonly id: string;
  readonly atMs: number;
  readonly said: Said[];
  servers: readonly NamedServer[];
  tools: readonly FakeTool[];
  toolsAtMs: number;
  tokens: number;
  /** Tools that it need not ask for any more. */
  readonly always: Set<string>;
  turn:
    | {
        readonly controller: AbortController;
        readonly beganMs: number;
        readonly steered: string[];
        done: Promise<unknown>;
      }
    | undefined;
}

/** Makes the app. */
export function fakeAgent(fake: FakeAgent): AgentApp {
  const { quirks = {}, transcripts, ownTools = {}, now = Date.now } = fake;
  const { steer = 'extension', asks = true, resume = 'load' } = quirks;
  const sessions = new Map<string, Session>();
  const spent = new Map<string, number>();
  let [isAuthenticated, calls] = [quirks.authMethod === undefined, 0];

  const reached = async (method: string) => {
    if (quirks.diesAt === method) fake.die?.();
    if (quirks.silentAt === method) await new Promise(() => {});
  };
  const keep = ({ id, atMs, said }: Session) => transcripts.write(id, { atMs, said });
  const begin = async (id: string, atMs: number, said: readonly Said[], servers: unknown): Promise<Session> => {
    const named = servers as readonly NamedServer[];
    const own = Object.keys(ownTools).map((name) => ({ name }));
    const session: Session = {
      id,
      atMs,
      said: [...said],
      servers: named,
      tools: own,
      toolsAtMs: now() + (quirks.toolsLateMs ?? 0),
      tokens: 0,
      always: new Set(),
      turn: undefined,
    };
    for (const server of named) {
      const names = await toolsOf(server);
      session.tools = [...session.tools, ...names.map((name) => ({ name: `mcp__${server.name}__${name}`, server }))];
    }
    sessions.set(id, session);
    keep(session);
    return session;
  };
  const sessionAt = (id: string): Session => {
    const session = sessions.get(id);
    if (session === undefined) throw RequestError.sessionNotFound(id);
    return session;
  };

  return agent({ name: 'fake' })
    .onRequest('initialize', async () => {
      await reached('initialize');
      return {
        protocolVersion: quirks.version ?? 1,
        agentCapabilities: {
          loadSession: resume === 'load',
          mcpCapabilities: { http: quirks.hasNoHttp !== true },
          sessionCapabilities: resume === 'resume' ? { resume: {} } : {},
        },
        authMethods: quirks.authMethod === undefined ? [] : [{ id: quirks.authMethod, name: 'by key' }],
        _meta: steer === 'extension' ? { steering: { supported: true } } : {},
      };
    })
    .onRequest('authenticate', ({ params }) => {
      isAuthenticated ||= params.methodId === quirks.authMethod;
      return {};
    })
    .onRequest('session/new', async ({ params }) => {
      await reached('session/new');
      if (!isAuthenticated) throw RequestError.authRequired();
      const { id } = await begin(`fake-${randomUUID()}`, now(), [], params.mcpServers);
      return { sessionId: id, ...(quirks.models === undefined ? {} : { configOptions: [modelOption(quirks.models)] }) };
    })
    .onRequest('session/set_config_option', ({ params }) => {
      if (params.configId !== 'model' || !quirks.models?.includes(String(params.value))) {
        throw RequestError.invalidParams();
      }
      return { configOptions: [modelOption(quirks.models, String(params.value))] };
    })
    .onRequest('session/load', async ({ params, client }) => {
      await reached('session/load');
      const session = await taken(params.sessionId, params.mcpServers);
      const telling = tellHistory(session, client, quirks.tellsHistoryLate === true ? 100 : 0).catch(() => {});
      if (quirks.tellsHistoryLate !== true) await telling;
      return {};
    })
    .onRequest('session/resume', async ({ params }) => {
      await taken(params.sessionId, params.mcpServers ?? []);
      return {};
    })
    .onNotification('session/cancel', ({ params }) => {
      const turn = sessions.get(params.sessionId)?.turn;
      if (turn === undefined || quirks.ignoresCancel === true) return;
      if (now() - turn.beganMs >= (quirks.deafMs ?? 0)) turn.controller.abort();
    })
    .onRequest('session/prompt', async ({ params, client }) => {
      await reached('session/prompt');
      const session = sessionAt(params.sessionId);
      const text = params.prompt.map((part) => (part.type === 'text' ? part.text : '')).join('');
      if (session.turn !== undefined && steer === 'refuse') throw RequestError.invalidRequest();
      if (session.turn !== undefined && steer === 'join') {
        session.turn.steered.push(text);
        await session.turn.done;
        return { stopReason: 'end_turn' };
      }
      session.turn?.controller.abort();
      await session.turn?.done;
      const controller = new AbortController();
      const turn = { controller, beganMs: now(), steered: [] as string[], done: Promise.resolve() as Promise<unknown> };
      session.turn = turn;
      const going = take(session, text, turn, client).finally(() => (session.turn = undefined));
      turn.done = going.catch(() => undefined);
      return going;
    })
    .onRequest(
      '_session/steering',
      (params) => params as { readonly sessionId: string; readonly prompt: readonly { readonly text: string }[] },
      ({ params }) => {
        if (steer !== 'extension') throw RequestError.methodNotFound('_session/steering');
        const { turn } = sessionAt(params.sessionId);
        if (turn === undefined) return { outcome: 'promptRequired', reason: 'noRunningTurn' };
        turn.steered.push(params.prompt.map(({ text }) => text).join(''));
        return { outcome: 'injected' };
      },
    );

  async function taken(id: string, servers: unknown): Promise<Session> {
    const kept = transcripts.read(id);
    if (
      kept !== undefined &&
      quirks.wipesWithinMinute === true &&
      Math.floor(kept.atMs / 60_000) === Math.floor(now() / 60_000)
    ) {
      transcripts.remove(id);
      throw RequestError.internalError({ details: 'No previous sessions found for this project.' });
    }
    if (kept === undefined) throw RequestError.sessionNotFound(id);
    return begin(id, kept.atMs, kept.said, servers);
  }

  async function tellHistory({ id, said }: Session, client: AgentContext, everyMs: number): Promise<void> {
    for (const one of said) {
      if (!('text' in one) || one.type === 'result') continue;
      await delay(everyMs);
      const sessionUpdate = one.type === 'user' ? 'user_message_chunk' : 'agent_message_chunk';
      await update(client, id, { sessionUpdate, content: { type: 'text', text: one.text } });
    }
  }

  async function take(session: Session, text: string, turn: NonNullable<Session['turn']>, client: AgentContext) {
    const { signal } = turn.controller;
    const end = (stopReason: string) => ({
      stopReason: (quirks.stopReason ?? stopReason) as 'end_turn',
      usage: { totalTokens: session.tokens, inputTokens: session.tokens, outputTokens: 0 },
    });
    const tell = (said: Said) => {
      session.said.push(said);
      keep(session);
    };
    tell({ type: 'user', text });
    for (const one of quirks.alsoTells ?? []) await update(client, session.id, one);
    if (quirks.isNoisy === true) await makeNoise(client, session.id, fake.babble);
    if (quirks.asksForMore === true) return askForMore(client, session.id).then(() => end('end_turn'));
    try {
      for (;;) {
        for (const steered of turn.steered.splice(0)) tell({ type: 'user', text: steered });
        const tools =
          now() >= session.toolsAtMs ? session.tools : session.tools.filter(({ server }) => server === undefined);
        const question = {
          wire: 'chat' as const,
          model: 'fake',
          isStream: true,
          said: session.said,
          tools: tools.length === 0 ? [{ name: 'none' }] : tools,
        };
        const decision = decide(question, (key) => spent.get(key) ?? 0);
        session.tokens += decision.usage.in + decision.usage.out;
        await delay(decision.waitMs, undefined, { signal });
        if (decision.type === 'refuse') {
          throw RequestError.internalError({ status: decision.status, details: decision.message });
        }
        if (decision.type === 'break') throw RequestError.internalError({ details: 'the stream broke' });
        if (decision.type === 'say') {
          const messageId = randomUUID();
          for (const piece of decision.pieces) {
            await delay(decision.everyMs, undefined, { signal });
            const content = { type: 'text', text: piece } as const;
            await update(client, session.id, { sessionUpdate: 'agent_message_chunk', content, messageId });
          }
          tell({ type: 'assistant', text: decision.pieces.join('') });
          if (turn.steered.length === 0) return end('end_turn');
        } else {
          const tool = tools.find(({ name }) => name === decision.tool.name);
          await use(session, tool, decision.args, client, signal, tell);
        }
        if (signal.aborted) return end('cancelled');
      }
    } catch (error) {
      if (signal.aborted) return end('cancelled');
      throw error;
    }
  }

  async function use(
    session: Session,
    tool: FakeTool | undefined,
    args: JsonObject,
    client: AgentContext,
    signal: AbortSignal,
    tell: (said: Said) => void,
  ): Promise<void> {
    calls += 1;
    const name = tool?.name ?? 'none';
    const toolCallId = `call-${calls}`;
    const title = typeof args['title'] === 'string' ? args['title'] : `the model calls it ${name}`;
    const named = quirks.hasNoNames === true ? {} : { name };
    const call = { toolCallId, ...named, title, kind: 'other', rawInput: args } as const;
    tell({ type: 'call', id: toolCallId, tool: name });
    if (quirks.endsWithoutBeginning !== true) {
      await update(client, session.id, { sessionUpdate: 'tool_call', status: 'pending', ...call });
    }
    let isAllowed = true;
    if (asks && !session.always.has(name)) {
      const options = (quirks.options ?? ['allow_once', 'reject_once']).map((kind, index) => ({
        optionId: `option-${index}`,
        name: kind,
        kind: kind as 'allow_always' | 'allow_once',
      }));
      const answered = await client.request<unknown>('session/request_permission', {
        sessionId: session.id,
        toolCall: call,
        options,
      });
      const { outcome } = answered as { readonly outcome: { readonly outcome: string; readonly optionId?: string } };
      const chosen =
        outcome.outcome === 'selected' ? options.find(({ optionId }) => optionId === outcome.optionId) : undefined;
      isAllowed = chosen?.kind.startsWith('allow') === true;
      if (chosen?.kind === 'allow_always') session.always.add(name);
      if (chosen === undefined) signal.throwIfAborted();
    }
    const result = isAllowed ? await perform(tool, args, signal) : 'the user refused it';
    await update(client, session.id, {
      sessionUpdate: 'tool_call_update',
      toolCallId,
      status: isAllowed ? 'completed' : 'failed',
      content: [{ type: 'content', content: { type: 'text', text: result } }],
    });
    tell({ type: 'result', id: toolCallId, text: result });
    if (steer === 'ask') for (const text of await said(client, session.id)) tell({ type: 'user', text });
  }

  async function perform(tool: FakeTool | undefined, args: JsonObject, signal: AbortSignal): Promise<string> {
    if (tool?.server !== undefined) return callTool(tool.server, tool.name.replace(/^mcp__\w+?__/, ''), args);
    return (await ownTools[tool?.name ?? '']?.(args, signal)) ?? 'no such tool';
  }
}
