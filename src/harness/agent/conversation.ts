/**
 * One attempt's conversation with an agent: opened or taken up again, prompted until its result stands and no mail waits,
 * steered, bounded, cancelled, and closed whatever happens.
 *
 * - The session's id is durable before the first prompt where it is known before, else as soon as the agent tells it.
 * - A result counts that was there before the attempt was to end; nothing runs any more when this resolves.
 */
import type { JsonValue } from '../../json.ts';
import { cancelledBy } from '../outcome.ts';
import type { Attempt, Message, Outcome, Taken, Usage } from '../port.ts';
import { costLeft, limitOver } from './limit.ts';
import { turnFailed, turnFailedWith, unjoined, type Failed } from './failure.ts';
import { linesOf } from './lines.ts';
import type { MailboxServer } from './mailbox-server.ts';
import type { Meter } from './meter.ts';
import type { AgentInput, AgentOptions } from './options.ts';
import { permissionsBy } from './permission.ts';
import type { Agent, AgentEvent, AgentOpen, AgentSession, TurnEnd } from './port.ts';
import type { Redactor } from './redact.ts';
import { resultOf } from './result.ts';
import { watchOf } from './watch.ts';
import { firstWords, mailWords, resumingWords, unchanged } from './words.ts';
import { systemClock, type Clock } from '../../clock.ts';

/** What {@link converse} needs. */
export interface Conversation {
  readonly agent: Agent;
  /** Cleaned: see `clean-attempt.ts`. */
  readonly attempt: Attempt;
  readonly task: string;
  readonly input: AgentInput;
  readonly options: AgentOptions;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly clean: Redactor;
  readonly mailbox: MailboxServer | undefined;
  readonly meter: Meter;
  /** Session to take up again; else a new one, with this id where the agent takes one. */
  readonly session: AgentOpen['session'];
  readonly onOutput: NonNullable<AgentOpen['onOutput']>;
}

/** How it ended; `isUnknown`: there is no such session, nothing was done, a new one may be opened. */
export interface Ended {
  readonly outcome: Outcome;
  readonly isUnknown: boolean;
}

/** Holds a conversation. Rejects with what `agent.open` rejects with. */
export async function converse(conversation: Conversation): Promise<Ended> {
  const { agent, attempt, task, input, options, cwd, env, clean, mailbox, meter, onOutput } = conversation;
  const { signal, invocation } = attempt;
  const clock: Clock = options.clock ?? systemClock;
  const isResumed = conversation.session.mode === 'resume';
  /** The session is known to hold the task. */
  const wasHeard = isResumed && isActiveIn(attempt.previousSessionData);
  const lineOf = linesOf(clean);
  const permit = permissionsBy(options.permissions ?? 'deny', attempt, clean);

  let session: AgentSession | undefined;
  /** Why the turn under way was ended by us, when its end is not to be the agent's own. */
  let stop: Failed | undefined;
  let isSteering = false;
  /** Ends our waiting for the turn under way; undefined between turns. */
  let giveUpTurn: (() => void) | undefined;
  const callOffs: (() => void)[] = [];
  let isDead: string | undefined;
  let recorded: Promise<void> = Promise.resolve();
  let recordedId: string | undefined;
  /** Taken from the mailbox to be said at the next prompt. */
  const toSay: Message[] = [];
  const steering = new Set<Promise<void>>();

  const tell = (line: string) => attempt.progress({ line });
  /** Of a mailbox that is not there the session tells as well: lines are written over, and the last ones are not recorded. */
  const sessionData = (isActive: boolean) => ({ isActive, ...(isDead === undefined ? {} : { mailbox: isDead }) });
  const record = (id: string, isActive: boolean) => {
    recordedId = id;
    recorded = Promise.all([recorded, attempt.session(id, sessionData(isActive))]).then(() => undefined);
    recorded.catch(() => undefined);
  };
  /** Ends the turn under way: by the agent's own means first, by giving up on it after a while. */
  const cut = () => {
    void session?.cancel().catch(() => undefined);
    const giveUp = giveUpTurn;
    if (giveUp !== undefined) callOffs.push(clock.wakeAt(clock.now() + (options.cancelMs ?? 3_000), giveUp));
  };
  const stopWith = (failed: Failed) => {
    if (stop !== undefined) return;
    stop = failed;
    tell(failed.error.message);
    cut();
  };
  const mailboxDead = (why: string) => {
    if (isDead !== undefined || mailbox === undefined) return;
    isDead = `${agent.name} has not joined the mailbox of its group: ${why}`;
    if (recordedId !== undefined) record(recordedId, wasHeard || watch.isActive);
    if (options.mailbox === 'required') stopWith(turnFailed('MAILBOX_DEAD', isDead));
    else tell(isDead);
  };
  const joinMs = options.joinMs ?? 15_000;
  const stallMs = options.stallMs ?? 600_000;
  const watch = watchOf({
    clock,
    joinMs,
    stallMs,
    mailboxHeardAt: () => mailbox?.lastHeardAt(),
    isJoined: () => mailbox?.isJoined() ?? true,
    onNotJoined: () => mailboxDead(`nothing was heard there ${joinMs} ms after the model's first word.`),
    onStalled: (retry) =>
      stopWith(
        retry === undefined
          ? turnFailed('STALLED', `nothing was heard of ${agent.name} for ${stallMs} ms.`)
          : {
              ...turnFailedWith(`${agent.name} has tried again for ${stallMs} ms in vain: ${retry.message}`),
              class: retry.class,
            },
      ),
  });

  const onEvent = (event: AgentEvent) => {
    const wasActive = watch.isActive;
    watch.heard(event);
    const line = lineOf(event);
    if (line !== undefined) tell(line);
    if (event.type === 'session' && event.id !== recordedId) record(event.id, wasHeard || watch.isActive);
    if (!wasActive && watch.isActive && !wasHeard && recordedId !== undefined) record(recordedId, true);
    if (event.type === 'mcp-failed' && event.server === mailbox?.mcpServer.name) mailboxDead(clean.text(event.message));
    if (event.type !== 'usage') return;
    meter.take(event);
    const usage = meter.total();
    attempt.progress({ usage });
    const over = limitOver(invocation.budget, attempt.spentBefore, usage);
    if (over !== undefined) stopWith(turnFailed('BUDGET', `member \`${attempt.member}\`: ${over}`));
  };

  signal.addEventListener('abort', cut, { once: true });

  /** One turn; undefined when it did not end although it was told to. */
  const turn = async (open: AgentSession, text: string): Promise<TurnEnd> => {
    const endWatch = watch.turn();
    const givenUp = new Promise<TurnEnd>((resolve) => {
      giveUpTurn = () => resolve({ status: 'cancelled' });
    });
    try {
      return await Promise.race([open.prompt(text), givenUp]);
    } finally {
      giveUpTurn = undefined;
      endWatch();
    }
  };

  /** Into the running turn where the agent can, else by ending it and saying it at the next. */
  const steer = async (open: AgentSession, message: Message): Promise<void> => {
    const said = (how: string) => tell(`message ${message.id} from ${message.from}: ${how}`);
    const answer =
      open.steer === undefined ? 'refused' : await open.steer(mailWords([message], false)).catch(() => 'refused');
    if (answer === 'injected') return said('said into the running turn');
    if (answer === 'queued') return said('said after the running turn');
    toSay.push(message);
    if (giveUpTurn === undefined) return said('waits for the next turn');
    isSteering = true;
    said('the turn is interrupted for it');
    cut();
  };

  const withUsage = (outcome: Outcome): Outcome => {
    const usage: Usage = meter.total();
    return Object.keys(usage).length === 0 ? outcome : { ...outcome, usage };
  };
  const ended = (outcome: Outcome, isUnknown = false): Ended => ({ outcome: withUsage(outcome), isUnknown });
  const failedWith = ({ class: failureClass, error }: Failed): Outcome => ({
    status: 'error',
    class: failureClass,
    error: clean.error(error),
  });

  const talk = async (open: AgentSession): Promise<Ended> => {
    const hasMailbox = mailbox !== undefined && open.capabilities.mcp;
    if (mailbox !== undefined && !hasMailbox) mailboxDead('it takes no MCP servers.');
    const canGoOn = open.capabilities.warm || open.capabilities.resume;
    const briefing = { attempt, task, hasMailbox, outputSchema: input.outputSchema };
    let text = wasHeard ? resumingWords(briefing) : options.briefing === false ? task : firstWords(briefing);
    let result: Outcome | undefined;
    let followUps = canGoOn ? (options.followUps ?? 3) : 0;
    let taken: Taken | undefined;
    if (!hasMailbox) {
      // Nobody else can tell it: what has come goes with the first words.
      taken = await attempt.mailbox.take();
      if (taken.messages.length > 0) text = `${text}\n\n${mailWords(taken.messages, false)}`;
    }
    // Without steering, mail reaches an agent that has the mailbox at its next use of a tool.
    if (open.steer !== undefined || (!hasMailbox && canGoOn))
      attempt.mailbox.onSteer((message) => {
        const done: Promise<void> = steer(open, message).finally(() => steering.delete(done));
        steering.add(done);
      });

    for (;;) {
      // Whoever ended it while no turn was under way found none to cut.
      if (signal.aborted) return ended(cancelledBy(signal));
      if (stop !== undefined) return ended(failedWith(stop));
      const end = await turn(open, text);
      if (signal.aborted) {
        // Too late for anything but a whole result.
        if (end.status === 'ok' && toSay.length === 0) return ended(resultOf(end, input, invocation, clean));
        return ended(cancelledBy(signal));
      }
      if (stop !== undefined) return ended(failedWith(stop));
      if (end.status === 'error' && !isSteering) {
        const isUnknown = isResumed && !watch.isActive && end.error.code === 'SESSION_UNKNOWN';
        // A result that stands is not undone by what came after it.
        const why = mailbox?.isJoined() === false ? unjoined(end, mailbox.mcpServer.url) : end;
        return ended(result ?? failedWith(why), isUnknown);
      }
      if (end.status === 'cancelled' && !isSteering)
        return ended(
          failedWith(turnFailed('NO_RESULT', `${agent.name} ended its turn as cancelled; nobody had asked for that.`)),
        );
      isSteering = false;
      if (mailbox !== undefined && hasMailbox && !mailbox.isJoined()) {
        mailboxDead('its turn is over, and nothing was heard there.');
        if (stop !== undefined) return ended(failedWith(stop));
      }
      taken?.acknowledge();
      taken = undefined;
      if (end.status === 'ok' && (result === undefined || end.text.trim() !== unchanged))
        result = resultOf(end, input, invocation, clean);

      if (followUps > 0 && toSay.length === 0) taken = await attempt.mailbox.take();
      await Promise.all(steering);
      const steered = toSay.splice(0);
      const mail = taken?.messages ?? [];
      if (steered.length > 0) {
        taken?.putBack();
        taken = undefined;
        const isOver = end.status === 'ok';
        const said = mailWords(steered, isOver);
        // A turn that was cut before the model showed itself may not have been heard at all, the task in it included.
        text = isOver || watch.isTurnActive ? said : `${text}\n\n${said}`;
        continue;
      }
      if (mail.length > 0) {
        followUps -= 1;
        text = mailWords(mail, true);
        continue;
      }
      return ended(result ?? failedWith(turnFailed('NO_RESULT', `${agent.name} ended without a result.`)));
    }
  };

  try {
    session = await agent.open({
      cwd,
      env,
      key: attempt.key,
      session: conversation.session,
      signal,
      mcpServers: mailbox === undefined ? [] : [mailbox.mcpServer],
      areMcpServersOptional: options.mailbox !== 'required',
      ...(input.model === undefined && options.model === undefined
        ? {}
        : { model: input.model ?? options.model ?? '' }),
      ...(input.outputSchema === undefined ? {} : { outputSchema: input.outputSchema }),
      ...costLeft(invocation.budget?.costUsd, attempt.spentBefore.costUsd),
      onEvent,
      onOutput(chunk) {
        watch.stirred();
        return onOutput(chunk);
      },
      async onPermission(request) {
        const isOver = watch.excuse();
        try {
          return await permit(request);
        } finally {
          isOver();
        }
      },
    });
    if (session.id !== undefined && session.id !== recordedId) record(session.id, wasHeard || watch.isActive);
    await recorded;
    if (signal.aborted) return ended(cancelledBy(signal));
    // It would begin anew under the old id, and be told to go on with what it never heard of.
    if (isResumed && !session.capabilities.resume)
      return ended(failedWith(turnFailed('SESSION_UNKNOWN', `${agent.name} keeps no session.`)), true);
    return await talk(session);
  } finally {
    attempt.mailbox.onSteer(undefined);
    signal.removeEventListener('abort', cut);
    watch.end();
    for (const callOff of callOffs) callOff();
    await session?.close();
    await recorded.catch(() => undefined);
  }
}

function isActiveIn(data: JsonValue | undefined): boolean {
  return typeof data === 'object' && data !== null && 'isActive' in data && data.isActive === true;
}
