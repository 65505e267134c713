/** Patience with an agent: whether it is heard of, and whether it joins its group's mailbox. */
import type { Clock } from '../../clock.ts';
import type { AgentEvent } from './port.ts';

type RetryEvent = Extract<AgentEvent, { readonly type: 'retry' }>;

/** What {@link watchOf} goes by. */
export interface WatchOptions {
  readonly clock: Clock;
  readonly stallMs: number;
  readonly joinMs: number;
  /** When the agent was heard at its mailbox, ms since 1970. */
  mailboxHeardAt(): number | undefined;
  /** True when there is no mailbox to join. */
  isJoined(): boolean;
  /** `retry`: it is heard of, but only that it tries again; this came last. */
  onStalled(retry?: RetryEvent): void;
  /** Called once. */
  onNotJoined(): void;
}

/** A watch over one session. */
export interface Watch {
  heard(event: AgentEvent): void;
  /** A sign of life that is no event: raw output. */
  stirred(): void;
  /** While somebody else is waited for (an answer about a permission) the agent does not stall; call the result when it is over. */
  excuse(): () => void;
  /** A turn begins; the result ends its watch. */
  turn(): () => void;
  /** The model has shown itself. */
  readonly isActive: boolean;
  /** The same in the turn under way, or the last one: what was said in it has been heard. */
  readonly isTurnActive: boolean;
  end(): void;
}

/** Signs that the model was asked and has answered. */
const signs: ReadonlySet<AgentEvent['type']> = new Set(['text', 'tool', 'usage']);

/** Begins to watch. */
export function watchOf(options: WatchOptions): Watch {
  const { clock, stallMs, joinMs } = options;
  const tools = new Set<string>();
  let heardAt = clock.now();
  let excuses = 0;
  let isActive = false;
  let isTurnActive = false;
  /** Since when it has told of nothing but tries of a model call: some agents wait for their service without end. */
  let retriesSince: number | undefined;
  let callOffJoin: (() => void) | undefined;
  let callOffStall: (() => void) | undefined;

  const look = () => {
    const mailboxAt = options.mailboxHeardAt();
    if (mailboxAt !== undefined) heardAt = Math.max(heardAt, mailboxAt);
    const now = clock.now();
    if (tools.size > 0 || excuses > 0) heardAt = now;
    if (now >= heardAt + stallMs) options.onStalled();
    else callOffStall = clock.wakeAt(heardAt + stallMs, look);
  };
  return {
    heard(event) {
      heardAt = clock.now();
      if (event.type === 'tool') {
        if (event.status === 'started') tools.add(event.id);
        else tools.delete(event.id);
      }
      if (event.type === 'retry') {
        retriesSince ??= heardAt;
        if (heardAt >= retriesSince + stallMs) options.onStalled(event);
      } else if (signs.has(event.type)) {
        retriesSince = undefined;
        isTurnActive = true;
      }
      if (isActive || !signs.has(event.type)) return;
      isActive = true;
      callOffJoin = clock.wakeAt(clock.now() + joinMs, () => {
        if (!options.isJoined()) options.onNotJoined();
      });
    },
    stirred() {
      heardAt = clock.now();
    },
    excuse() {
      excuses += 1;
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        excuses -= 1;
        heardAt = clock.now();
      };
    },
    turn() {
      heardAt = clock.now();
      retriesSince = undefined;
      isTurnActive = false;
      tools.clear();
      callOffStall?.();
      callOffStall = clock.wakeAt(heardAt + stallMs, look);
      return () => {
        callOffStall?.();
        callOffStall = undefined;
      };
    },
    get isActive() {
      return isActive;
    },
    get isTurnActive() {
      return isTurnActive;
    },
    end() {
      callOffStall?.();
      callOffJoin?.();
    },
  };
}
