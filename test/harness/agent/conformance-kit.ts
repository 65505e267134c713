/** What the suite of agents is made of: the agent under test, its place, and a session that remembers what it told. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type {
  Agent,
  AgentCapabilities,
  AgentEvent,
  AgentOpen,
  AgentSession,
  PermissionRequest,
  TurnEnd,
} from '../../../src/harness/agent/port.ts';
import type { FailureClass } from '../../../src/harness/port.ts';
import { hostMark } from '../../../src/harness/program/list-processes.ts';
import { markVariables } from '../../../src/harness/program/marker.ts';
import type { JsonObject } from '../../agents/model/question.ts';
import { marked, runId } from '../support.ts';
import { startToolServer, type ToolServer } from './tool-server.ts';

/** What is waited for comes within so many ms, or not at all. */
export const waitMs = 15_000;

/** Where sessions of an agent are tested. */
export interface AgentPlace {
  readonly cwd: string;
  /** Without the mark, which the suite adds. */
  readonly env: Readonly<Record<string, string>>;
  readonly model?: string;
  close?(): Promise<void>;
}

/** An agent to be tested. */
export interface AgentUnderTest {
  readonly name: string;
  /** The folder is that of the suite's place. */
  agent(folder: string): Agent;
  /** Where; default an empty folder, and PATH. */
  place?(): Promise<AgentPlace>;
  /** What its sessions must turn out to be able to do. */
  readonly capabilities: AgentCapabilities;
  /** Which class an answer of the model with this HTTP status becomes. */
  readonly failures: Readonly<Record<number, FailureClass>>;
  /** It runs processes. */
  readonly hasProcesses: boolean;
  /** Step of a script that runs a command for `sh` in the session's folder. */
  shell(command: string): JsonObject;
  /** It tells tokens. Default true. */
  readonly tellsTokens?: boolean;
  /** Texts that its model has begun to say, for an agent that tells a text when it is whole. */
  textsBegun?(): number;
  /** Patience of one test, ms. Default 20,000. */
  readonly testMs?: number;
  /** A cancel of a streaming turn ends it within so many ms. Default 3,000. */
  readonly cancelMs?: number;
}

/** A session with what it told. */
export interface Watched {
  readonly session: AgentSession;
  readonly events: readonly AgentEvent[];
  readonly asked: readonly PermissionRequest[];
  /** All of its text. */
  said(): string;
  /** Waits until the model says something. */
  speaks(): Promise<void>;
  /** The first event of this type, waiting for it. */
  saw(type: AgentEvent['type']): Promise<AgentEvent>;
}

/** The suite's means. */
export interface ConformanceKit {
  readonly subject: AgentUnderTest;
  readonly tools: () => ToolServer;
  /** A promise; its sessions are closed, and nothing of them may be left. */
  promise(name: string, body: (open: (given?: Partial<AgentOpen>) => Promise<Watched>) => Promise<void>): void;
  /** Calls of the server's tool with this recipient. */
  callsTo(to: string): number;
  /** This file is there in the sessions' folder. */
  isMade(name: string): boolean;
  /** Living processes of the suite. */
  living(): readonly number[];
}

/** Sets the suite up. */
export function conformanceKit(subject: AgentUnderTest): ConformanceKit {
  let folder = '';
  let place: AgentPlace;
  let server: ToolServer;
  let count = 0;
  const prefix = `${runId}/${subject.name}/`;
  const living = () => marked(prefix);

  async function open(given: Partial<AgentOpen>): Promise<Watched> {
    count += 1;
    const events: AgentEvent[] = [];
    const begunBefore = subject.textsBegun?.() ?? 0;
    const asked: PermissionRequest[] = [];
    const key = `${prefix}${count}`;
    const mark = markVariables({ run: runId, group: 'g', member: 'm', key }, hostMark(), {});
    const { onPermission, ...rest } = given;
    const session = await subject.agent(place.cwd).open({
      cwd: place.cwd,
      env: { ...place.env, ...mark },
      key,
      session: { mode: 'new' },
      mcpServers: [server.mcpServer],
      ...(place.model === undefined ? {} : { model: place.model }),
      onEvent: (event) => void events.push(event),
      onPermission: (request) => {
        asked.push(request);
        return onPermission?.(request) ?? Promise.resolve({ allowed: true });
      },
      ...rest,
    });
    const seen = (type: AgentEvent['type']) => events.find((one) => one.type === type);
    return {
      session,
      events,
      asked,
      said: () => events.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join(''),
      async speaks() {
        const isSpeaking = () => (subject.textsBegun === undefined ? seen('text') : subject.textsBegun() > begunBefore);
        await vi.waitUntil(isSpeaking, { timeout: waitMs, interval: 2 });
      },
      async saw(type) {
        return await vi.waitUntil(() => seen(type), { timeout: waitMs, interval: 2 });
      },
    };
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-agent-'));
    server = await startToolServer();
    place = (await subject.place?.()) ?? { cwd: folder, env: { PATH: process.env['PATH'] ?? '' } };
  });
  afterAll(async () => {
    await server.close();
    await place.close?.();
    for (const pid of living()) process.kill(pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  return {
    subject,
    tools: () => server,
    promise: (name, body) =>
      test(name, { timeout: subject.testMs ?? 20_000 }, async () => {
        const opened: AgentSession[] = [];
        try {
          await body(async (given = {}) => {
            const watched = await open(given);
            opened.push(watched.session);
            return watched;
          });
        } finally {
          await Promise.all(opened.map((session) => session.close()));
        }
        expect(living()).toEqual([]);
      }),
    callsTo: (to) => server.calls().filter((args) => args['to'] === to).length,
    isMade: (name) => existsSync(join(place.cwd, name)),
    living,
  };
}

/** Step of a script that calls the server's tool. */
export function send(to: string): JsonObject {
  return { tool: 'group_send', args: { to, body: 'hello' } };
}

/** The text of a turn that went well. */
export function textOf(end: TurnEnd): string {
  expect(end).toMatchObject({ status: 'ok' });
  return end.status === 'ok' ? end.text : '';
}

/** The class of a turn that did not; else how it ended. */
export function classOf(end: TurnEnd): string {
  return end.status === 'error' ? end.class : JSON.stringify(end);
}
