/** An open session: turns one after the other over a link that is made again when the agent has died between or in them. */
import type { Clock } from '../../../clock.ts';
import { plainError } from '../../plain-error.ts';
import { type AgentEvent, type AgentOpen, type AgentSession, type PermissionAnswer, type TurnEnd } from '../port.ts';
import type { AcpHabits, AcpPatience } from './habits.ts';
import { aborted, pause, within } from './deadline.ts';
import { AskFailure } from './failure.ts';
import { turnFailed } from '../failure.ts';
import type { Link, LinkOptions } from './link.ts';
import { choose, permissionCancelled, permissionRequest } from './permission.ts';
import { type Fields, fieldsOf } from './read.ts';
import { tools } from './tools.ts';
import { endOf, failedBy, newTurn, type Turn, usageOf } from './turn.ts';
import { eventsOf } from './updates.ts';

/** Lines that are none of the protocol told as notices, per session. */
const garbageToldMax = 20;
/** A cancel that came before the agent had begun its turn is lost on some: it is said again after so long, ms. */
const cancelAgainMs = 500;
/** A turn may take this long to end before its processes are ended on close, ms. */
const closeCancelMs = 1_000;
/** An answer to a steering message is waited for this long, ms. */
const steerMs = 10_000;

/** What a session stands on. */
export interface SessionOptions {
  /** The agent's name in messages. */
  readonly agent: string;
  readonly habits: AcpHabits;
  readonly patience: AcpPatience;
  readonly clock: Clock;
  readonly open: AgentOpen;
  /** Makes a link to this session, with what the session hears of it; soon rejects when the signal is aborted, and leaves nothing. */
  link(session: AgentOpen['session'], heard: Heard, signal: AbortSignal | undefined): Promise<Link>;
}

type Heard = Pick<LinkOptions, 'onDrain' | 'onGarbage' | 'onPermission' | 'onUpdate'>;

/** Opens a session. Rejects with an {@link AgentFailure}. */
export async function openSession({
  agent,
  habits,
  patience,
  clock,
  open,
  ...options
}: SessionOptions): Promise<AgentSession> {
  const uses = tools(habits.toolName);
  const isOfServer = habits.isOfServer ?? ((tool: string, server: string) => tool.startsWith(`mcp__${server}__`));
  const asked = new Map<string, number>();
  let turn: Turn | undefined;
  let closing: Promise<void> | undefined;
  let isClosed = false;
  let garbage = 0;

  const emit = (event: AgentEvent | undefined) => {
    if (event !== undefined && !isClosed) open.onEvent(event);
  };
  const heard: Heard = {
    onUpdate(update) {
      eventsOf(update, { tools: uses, answer: turn?.answer }).forEach(emit);
      const sign = habits.signOf?.(update);
      if (sign !== undefined && sign.type !== 'failed') emit(sign);
      else if (sign !== undefined && turn !== undefined)
        turn.failed = {
          ...sign,
          message: sign.message ?? turn.failed?.message,
          status: sign.status ?? turn.failed?.status,
        };
    },
    onGarbage(shown) {
      garbage += 1;
      if (garbage <= garbageToldMax) emit({ type: 'notice', line: `not of the protocol: ${shown.slice(0, 160)}` });
    },
    onPermission: answerPermission,
    onDrain: () =>
      (turn?.waiting.splice(0) ?? []).map(({ text, settle }) => {
        settle('injected');
        return text;
      }),
  };
  let link = await options.link(open.session, heard, open.signal);
  let relinking: Promise<Link> | undefined;
  /** Aborted: no other link is wanted any more. */
  const leaving = new AbortController();
  /** MCP tools of some agents come late. */
  const readyAtMs = clock.now() + (open.mcpServers.length > 0 ? (habits.toolsLateMs ?? 0) : 0);
  const { abilities, sessionId } = link;
  emit({ type: 'session', id: sessionId });

  return {
    id: sessionId,
    capabilities: abilities.capabilities,
    get pids() {
      return link.pids;
    },
    prompt,
    ...(abilities.steering === 'none' ? {} : { steer }),
    cancel,
    close: () => (closing ??= close()),
  };

  async function prompt(text: string): Promise<TurnEnd> {
    if (closing !== undefined) return turnFailed('NO_RESULT', `the session of ${agent} is closed.`);
    if (turn !== undefined) return turnFailed('AGENT_FAILED', `${agent} is in a turn already: one turn at a time.`);
    const mine = newTurn();
    turn = mine;
    const running = run(mine, text)
      .catch((error: unknown) => failedBy(error))
      .then((end): TurnEnd => (mine.cancelling.signal.aborted ? { status: 'cancelled' } : end))
      .finally(() => {
        turn = undefined;
        for (const { settle } of mine.waiting) settle('refused');
      });
    mine.ended = running;
    return running;
  }

  async function run(mine: Turn, text: string): Promise<TurnEnd> {
    const { cancelled } = mine;
    const living = await Promise.race([alive(), cancelled]);
    await pause(clock, readyAtMs - clock.now(), cancelled);
    if (living === undefined || mine.cancelling.signal.aborted) return { status: 'cancelled' };
    living.listen();
    const response = await living.ask('session/prompt', promptOf(text), 'answer');
    // A prompt that joined the turn ends with it, or a moment later with what it was answered.
    await Promise.all(mine.joined);
    emit(usageOf(response, habits.usageOf ?? 'session'));
    return endOf(agent, response, mine, habits.signOfEnd);
  }

  /** The link, or a new one to the same session when the agent is gone. */
  async function alive(): Promise<Link> {
    if (!link.isDown()) return link;
    if (!abilities.capabilities.resume)
      throw new AskFailure('NO_RESULT', `${agent} is gone, and cannot take up its session again.`);
    relinking ??= (async () => {
      await link.close();
      uses.clear();
      return options.link({ mode: 'resume', id: sessionId }, heard, leaving.signal);
    })();
    try {
      link = await relinking;
    } finally {
      relinking = undefined;
    }
    return link;
  }

  function promptOf(text: string) {
    return { sessionId, prompt: [{ type: 'text', text }] };
  }

  async function answerPermission(params: Fields, signal: AbortSignal): Promise<object> {
    const asking = turn;
    if (closing !== undefined || asking?.cancelling.signal.aborted === true) return permissionCancelled;
    const toolCall = fieldsOf(params['toolCall']);
    const use = uses.look(toolCall);
    const count = (asked.get(use.id) ?? 0) + 1;
    asked.set(use.id, count);
    const request = permissionRequest(count === 1 ? use.id : `${use.id}#${count}`, toolCall, use);
    // The tools that it was given are allowed beforehand; their name is the agent's own word for them, not a model's.
    const { given } = use;
    const isGiven = given !== undefined && open.mcpServers.some(({ name }) => isOfServer(given, name));
    const ask = async (): Promise<PermissionAnswer> => (isGiven ? { allowed: true } : open.onPermission(request));
    const decided = ask().catch((error: unknown): PermissionAnswer => ({
      allowed: false,
      note: plainError(error).message,
    }));
    const decision = await Promise.race([
      decided,
      aborted(signal),
      ...(asking === undefined ? [] : [asking.cancelled]),
    ]);
    if (decision === undefined) return permissionCancelled;
    const { response, isGranted, problem } = choose(params['options'], decision);
    if (!isGranted) {
      if (asking !== undefined) asking.isDenied = true;
      emit({ type: 'denied', tool: use.name, message: problem ?? decision.note ?? 'refused' });
    }
    return response;
  }

  async function steer(text: string): Promise<'injected' | 'queued' | 'refused'> {
    const into = turn;
    if (into === undefined || into.cancelling.signal.aborted || link.isDown()) return 'refused';
    if (abilities.steering === 'drained') return new Promise((settle) => into.waiting.push({ text, settle }));
    if (abilities.steering === 'second-prompt') {
      const second = link.ask('session/prompt', promptOf(text), 'take a second prompt').then(
        () => true,
        () => false,
      );
      into.joined.push(second);
      // A refusal comes at once; an answer, with the end of the turn.
      const isTaken = (await within(clock, 100, second)) ?? true;
      if (!isTaken) return 'refused';
      return habits.secondPrompt === 'into-turn' ? 'injected' : 'queued';
    }
    const params = { ...promptOf(text), _meta: { steering: { idleBehavior: 'promptRequired' } } };
    const answered = await within(
      clock,
      steerMs,
      link.ask('_session/steering', params, 'be steered').catch((): Fields => ({})),
    );
    const outcome = answered?.['outcome'];
    if (outcome === 'injected') return 'injected';
    return outcome === 'startedNewTurn' || outcome === 'queued' ? 'queued' : 'refused';
  }

  async function cancel(): Promise<void> {
    if (turn === undefined) return;
    await interrupt(turn, patience.cancel);
  }

  /** Cancels a turn; one that does not end within `waitMs` loses its process. */
  async function interrupt(mine: Turn, waitMs: number): Promise<void> {
    mine.cancelling.abort();
    const untilMs = clock.now() + waitMs;
    let isOver = false;
    const ended = mine.ended.then(() => (isOver = true));
    while (!isOver && clock.now() < untilMs) {
      link.tell('session/cancel', { sessionId });
      await within(clock, Math.min(cancelAgainMs, untilMs - clock.now()), ended);
    }
    if (isOver) return;
    await link.close();
    await ended;
  }

  async function close(): Promise<void> {
    if (turn !== undefined) await interrupt(turn, closeCancelMs);
    leaving.abort();
    const later = await relinking?.catch(() => undefined);
    await later?.close();
    await link.close();
    isClosed = true;
  }
}
