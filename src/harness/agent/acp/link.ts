/** One connection with one session: initialize, authenticate, open or load, each within its time. */
import type { ClientConnection } from '@agentclientprotocol/sdk';
import type { Clock } from '../../../clock.ts';
import { engineVersion } from '../../../version.ts';
import { plainLine } from '../../program/last-line.ts';
import { AgentFailure, type AgentOpen } from '../port.ts';
import { type AcpAbilities, abilitiesOf } from './capabilities.ts';
import type { AcpHabits, AcpPatience } from './habits.ts';
import { pause, within } from './deadline.ts';
import { AskFailure, failureOf } from './failure.ts';
import { type Fields, fieldsOf, listOf, textOf } from './read.ts';
import type { Wire, WireListener } from './wire.ts';

/** So many looks in a row without an update: a history that is told late is at its end. */
const silentLooks = 4;
/** From look to look, ms. */
const lookMs = 50;
/** A history is waited for at most so long, ms. */
const historyMs = 10_000;

/** What a link is made with. */
export interface LinkOptions {
  /** The agent's name in messages. */
  readonly agent: string;
  readonly habits: AcpHabits;
  /** The model has been told by arguments or environment. */
  readonly isModelTold: boolean;
  readonly patience: AcpPatience;
  readonly clock: Clock;
  readonly open: Pick<AgentOpen, 'areMcpServersOptional' | 'cwd' | 'env' | 'mcpServers' | 'model'>;
  /** Aborted: the link is not wanted any more. Once it is open it means nothing. */
  readonly signal: AbortSignal | undefined;
  readonly session: AgentOpen['session'];
  connect(listener: WireListener): Promise<Wire> | Wire;
  /** Updates of the session, in order; those that repeat its history are left out. */
  onUpdate(update: Fields): void;
  /** Something that is none of the protocol. */
  onGarbage(shown: string): void;
  /** The agent takes what has been said to its running turn, see `AcpHabits.drains`. */
  onDrain(): readonly string[];
  /** A permission request of the session; `signal` is aborted when its answer is no longer wanted. */
  onPermission(params: Fields, signal: AbortSignal): Promise<object>;
}

/** A live session. */
export interface Link {
  readonly sessionId: string;
  readonly abilities: AcpAbilities;
  readonly pids: readonly number[];
  /** Rejects with an {@link AgentFailure}. `doing` completes "the agent could not …". */
  ask(method: string, params: object, doing: string): Promise<Fields>;
  /** Sends a notification; nothing tells whether it was heard. */
  tell(method: string, params: object): void;
  /** The agent is gone: every request fails from now on. */
  isDown(): boolean;
  /** Updates count from now on: what came before repeated a loaded session's history. */
  listen(): void;
  close(): Promise<void>;
}

/** Opens a link. Rejects with an {@link AgentFailure} after everything it started has been ended. */
export async function openLink(options: LinkOptions): Promise<Link> {
  const { agent, clock, patience, onGarbage } = options;
  const sdk = await import('@agentclientprotocol/sdk');
  let why: string | undefined;
  let sessionId: string | undefined;
  let isListening = false;
  let isClosing = false;
  /** Updates so far. */
  let told = 0;

  let ended = () => {};
  const wire = await options.connect({
    onUpdate(params) {
      told += 1;
      const fields = fieldsOf(params);
      if (isListening && fields['sessionId'] === sessionId) options.onUpdate(fieldsOf(fields['update']));
    },
    onGarbage,
    onEnd: (reason) => {
      why ??= reason;
      // What broke the protocol, or closed its output, is of no more use.
      ended();
    },
  });
  const client = sdk
    .client({ name: 'troupe' })
    .onRequest('session/request_permission', fieldsOf, ({ params, signal }) => {
      if (sessionId === undefined || params['sessionId'] !== sessionId) throw sdk.RequestError.invalidParams();
      return options.onPermission(params, signal);
    });
  const { drains } = options.habits;
  if (drains !== undefined) {
    client.onRequest(drains, fieldsOf, ({ params }) => ({
      messages: params['sessionId'] === sessionId ? options.onDrain() : [],
      hasQueuedPrompt: false,
    }));
  }
  const connection: ClientConnection = client.connect(wire.stream);
  ended = () => void (isClosing ? undefined : close());
  if (why !== undefined) ended();
  const { signal } = options;
  const onAbort = () => {
    why ??= 'it was called off';
    void close();
  };
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort);

  const gone = (doing: string) =>
    new AskFailure('NO_RESULT', `${agent} could not ${doing}: ${why ?? 'the connection is closed'}.${saidOf(wire)}`);
  const ask = async (method: string, params: object, doing: string): Promise<Fields> => {
    try {
      return fieldsOf(await connection.agent.request<unknown>(method, params));
    } catch (error) {
      throw connection.signal.aborted ? gone(doing) : failureOf(error, agent, doing);
    }
  };
  /** The same, but not for ever. */
  const askWithin = async (waitMs: number, method: string, params: object, doing: string): Promise<Fields> => {
    const answered = await within(clock, waitMs, ask(method, params, doing));
    if (answered !== undefined) return answered;
    throw new AgentFailure('timeout', `${agent} did not ${doing} within ${waitMs} ms.${saidOf(wire)}`);
  };

  try {
    const initialized = await askWithin(
      patience.initialize,
      'initialize',
      {
        protocolVersion: sdk.PROTOCOL_VERSION,
        clientInfo: { name: 'troupe', version: engineVersion },
        clientCapabilities: {
          fs: { readTextFile: false, writeTextFile: false },
          terminal: false,
          session: { notices: {} },
        },
      },
      'initialize',
    );
    const version = initialized['protocolVersion'];
    if (version !== sdk.PROTOCOL_VERSION) {
      const spoken = JSON.stringify(version) ?? 'none';
      throw new AgentFailure(
        'refused',
        `${agent} speaks version ${spoken} of the Agent Client Protocol, expected ${sdk.PROTOCOL_VERSION}: use another version of it.`,
      );
    }
    const abilities = abilitiesOf(initialized, options.habits);
    const askSession = (method: string, params: object, doing: string) =>
      askWithin(patience.session, method, params, doing);
    await authenticate(options, initialized, askSession);
    const opened = await takeSession(options, abilities, askSession, (id) => (sessionId = id));
    await setModel(options, opened.response, opened.id, askSession);
    if (options.session.mode === 'new') isListening = true;
    else if (options.habits.tellsHistoryLate === true) await silence();

    return {
      sessionId: opened.id,
      abilities,
      pids: wire.pids,
      ask,
      tell: (method, params) => void connection.agent.notify(method, params).catch(() => undefined),
      isDown: () => connection.signal.aborted,
      listen: () => void (isListening = true),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }

  /** Until nothing has been told for some looks in a row; what tells for ever is not waited for. */
  async function silence(): Promise<void> {
    const untilMs = clock.now() + historyMs;
    let before = -1;
    for (let looks = 0; looks < silentLooks && clock.now() < untilMs && !connection.signal.aborted; looks += 1) {
      if (told !== before) looks = 0;
      before = told;
      await pause(clock, lookMs, connection.closed);
    }
  }

  async function close(): Promise<void> {
    isClosing = true;
    await wire.close();
    connection.close();
  }
}

type Ask = (method: string, params: object, doing: string) => Promise<Fields>;

async function authenticate({ habits, open }: LinkOptions, initialized: Fields, ask: Ask): Promise<void> {
  if (habits.authenticate === undefined) return;
  const { method, ifSet } = habits.authenticate;
  const isOffered = listOf(initialized['authMethods']).some((one) => fieldsOf(one)['id'] === method);
  if (isOffered && (open.env[ifSet] ?? '') !== '') await ask('authenticate', { methodId: method }, 'authenticate');
}

async function takeSession(
  { agent, open, session }: LinkOptions,
  { capabilities, taking }: AcpAbilities,
  ask: Ask,
  onId: (id: string) => void,
): Promise<{ readonly id: string; readonly response: Fields }> {
  if (open.mcpServers.length > 0 && !capabilities.mcp && open.areMcpServersOptional !== true) {
    throw new AgentFailure('refused', `${agent} takes no MCP servers over HTTP, and the session needs one.`);
  }
  const mcpServers = (capabilities.mcp ? open.mcpServers : []).map(({ name, url, headers }) => ({
    type: 'http',
    name,
    url,
    headers: Object.entries(headers).map(([header, value]) => ({ name: header, value })),
  }));
  if (session.mode === 'resume') {
    // In words that the bridge knows: a new session does.
    if (taking === 'none')
      throw new AgentFailure('refused', `${agent} keeps no session, and cannot take one up again.`);
    onId(session.id);
    const params = { sessionId: session.id, cwd: open.cwd, mcpServers };
    return {
      id: session.id,
      response: await ask(`session/${taking}`, params, `load \`${session.id}\``),
    };
  }
  const response = await ask('session/new', { cwd: open.cwd, mcpServers }, 'begin');
  const id = textOf(response['sessionId']);
  if (id === undefined)
    throw new AgentFailure('crashed', `${agent} broke the protocol: it opened a session without an id.`);
  onId(id);
  return { id, response };
}

/** By ACP's own option, where nothing else has told it. */
async function setModel(options: LinkOptions, response: Fields, sessionId: string, ask: Ask): Promise<void> {
  const { agent, isModelTold, open } = options;
  if (open.model === undefined || isModelTold) return;
  const option = listOf(response['configOptions'])
    .map(fieldsOf)
    .find((one) => one['category'] === 'model');
  const configId = textOf(option?.['id']);
  if (configId === undefined) throw new AgentFailure('refused', `${agent} cannot be told which model to use.`);
  const params = { sessionId, configId, value: open.model };
  await ask('session/set_config_option', params, `use the model \`${open.model}\``);
}

/** The last words of standard error, where the reason often stands. */
function saidOf(wire: Wire): string {
  const said = wire
    .stderr()
    .split('\n')
    .map(plainLine)
    .filter((line) => line !== '')
    .slice(-3);
  return said.length === 0 ? '' : ` It said: ${said.join(' / ')}`;
}
