/** An agent that plays a script in this process: for tests of groups whose members are agents. */
import type { JsonValue } from '../../json.ts';
import type { Usage } from '../port.ts';
import { turnFailed } from './failure.ts';
import {
  AgentFailure,
  type Agent,
  type AgentCapabilities,
  type AgentEvent,
  type AgentOpen,
  type AgentSession,
  type PermissionAnswer,
  type TurnEnd,
} from './port.ts';

/** One turn as the script plays it. */
export interface FakeTurn {
  /** What the agent was prompted with. */
  readonly prompt: string;
  /** 1 for the first turn of the session, those before a resume included. */
  readonly turn: number;
  readonly session: string;
  /** The session was taken up again by this opening. */
  readonly isResumed: boolean;
  readonly open: AgentOpen;
  /** Aborted when the turn is cancelled or the session closed. */
  readonly signal: AbortSignal;
  emit(event: AgentEvent): void;
  spend(usage: Usage): void;
  ask(tool: string, input?: JsonValue): Promise<PermissionAnswer>;
  /** The next text said into this turn; never when it is cancelled before. */
  steered(): Promise<string>;
}

/** Plays a turn: the text of its answer, or how it ended otherwise. What it throws is a failed turn. */
export type FakeScript = (turn: FakeTurn) => Promise<TurnEnd | string> | TurnEnd | string;

/** Options of {@link fakeAgent}. */
export interface FakeOptions {
  /** Default `fake`. */
  readonly name?: string;
  /** Default: everything, steering into the turn and warm. */
  readonly capabilities?: Partial<AgentCapabilities>;
}

/** A fake agent, and what was done to it. */
export interface FakeAgent extends Agent {
  readonly opened: readonly AgentOpen[];
  readonly prompts: readonly string[];
  /** Sessions that are open now. */
  readonly openCount: number;
}

/** Makes an agent of a script. Its sessions live as long as it does: `resume` finds those it has opened, and refuses others. */
export function fakeAgent(
  script: FakeScript,
  { name = 'fake', capabilities: given = {} }: FakeOptions = {},
): FakeAgent {
  const opened: AgentOpen[] = [];
  const prompts: string[] = [];
  const turns = new Map<string, number>();
  let openCount = 0;
  const capabilities: AgentCapabilities = {
    steer: 'into-turn',
    resume: true,
    presetSession: true,
    permissions: 'asks',
    mcp: true,
    warm: true,
    ...given,
  };

  const sessionOf = (open: AgentOpen, id: string): AgentSession => {
    let running: AbortController | undefined;
    let hear: ((text: string) => void) | undefined;
    let isOpen = true;
    let asked = 0;

    const play = async (prompt: string, abort: AbortController): Promise<TurnEnd> => {
      const turn = (turns.get(id) ?? 0) + 1;
      turns.set(id, turn);
      const emit = (event: AgentEvent) => {
        if (isOpen) open.onEvent(event);
      };
      if (!capabilities.presetSession && turn === 1) emit({ type: 'session', id });
      try {
        const end = await script({
          prompt,
          turn,
          session: id,
          isResumed: open.session.mode === 'resume',
          open,
          signal: abort.signal,
          emit,
          spend: (usage) => emit({ type: 'usage', ...usage, isCumulative: false }),
          ask(tool, input = null) {
            asked += 1;
            return open.onPermission({ id: `${id} ${asked}`, tool, input });
          },
          steered: () => new Promise((resolve) => (hear = resolve)),
        });
        if (typeof end !== 'string') return end;
        emit({ type: 'text', text: end, isDelta: false });
        return { status: 'ok', text: end };
      } catch (error) {
        return turnFailed('AGENT_FAILED', error instanceof Error ? error.message : String(error));
      }
    };
    const cancelled = (signal: AbortSignal) =>
      new Promise<TurnEnd>((resolve) => {
        signal.addEventListener('abort', () => resolve({ status: 'cancelled' }), { once: true });
      });
    const end = () => {
      running?.abort(new Error('cancelled'));
    };
    return {
      get id() {
        return capabilities.presetSession || turns.has(id) ? id : undefined;
      },
      capabilities,
      pids: [],
      async prompt(text) {
        prompts.push(text);
        const abort = new AbortController();
        running = abort;
        try {
          return await Promise.race([play(text, abort), cancelled(abort.signal)]);
        } finally {
          running = undefined;
          hear = undefined;
        }
      },
      ...(capabilities.steer === 'none'
        ? {}
        : {
            steer: async (text: string) => {
              const into = hear;
              hear = undefined;
              if (running === undefined || into === undefined) return 'refused' as const;
              into(text);
              return 'injected' as const;
            },
          }),
      async cancel() {
        end();
      },
      async close() {
        end();
        if (isOpen) openCount -= 1;
        isOpen = false;
      },
    };
  };

  return {
    name,
    isInProcess: true,
    opened,
    prompts,
    get openCount() {
      return openCount;
    },
    async open(open) {
      opened.push(open);
      const { session } = open;
      if (session.mode === 'resume' && !turns.has(session.id))
        throw new AgentFailure('failed', `session not found: ${session.id}`);
      openCount += 1;
      return sessionOf(open, session.id ?? `session-${opened.length}`);
    },
  };
}
