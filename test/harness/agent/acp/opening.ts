/** Sessions of fake agents, with what they told; closed after the test, with nothing left. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { acpAgent, type AcpAgentOptions } from '../../../../src/harness/agent/acp/acp-agent.ts';
import type { AcpHabits } from '../../../../src/harness/agent/acp/habits.ts';
import type { AgentEvent, AgentOpen, AgentSession, PermissionRequest } from '../../../../src/harness/agent/port.ts';
import { hostMark } from '../../../../src/harness/program/list-processes.ts';
import { markVariables } from '../../../../src/harness/program/marker.ts';
import { marked, runId } from '../../support.ts';
import { fakeAgent, type FakeAgent } from './fake/app.ts';
import { fakeCommand } from './fake/command.ts';
import type { Quirks } from './fake/quirks.ts';
import { transcriptsInMemory } from './fake/session.ts';
import { shellIn } from './fake/shell.ts';

/** An opened session. */
export interface Opened {
  readonly session: AgentSession;
  readonly events: readonly AgentEvent[];
  readonly asked: readonly PermissionRequest[];
  said(): string;
}

/** What a session is opened with besides what every test needs. */
export type Opening = Partial<AgentOpen> & AcpAgentOptions & { readonly habits?: AcpHabits };

let opens = 0;

/** A key of this test file's own, and an environment that bears its mark. */
export function markedEnv(): { readonly key: string; readonly env: Record<string, string> } {
  opens += 1;
  const key = `${runId}/${opens}`;
  const mark = markVariables({ run: runId, group: 'g', member: 'm', key }, hostMark(), {});
  return { key, env: { PATH: process.env['PATH'] ?? '', ...mark } };
}

/** A folder that is gone after the test. */
export function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-acp-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Opens sessions of a fake agent in this process; they share its transcripts. */
export function fakeInProcess(quirks: Quirks = {}, more: Partial<FakeAgent> = {}) {
  const folder = folderOfTest();
  const transcripts = transcriptsInMemory();
  const app = fakeAgent({ quirks, transcripts, ownTools: { shell: shellIn(folder) }, ...more });
  return (opening: Opening = {}): Promise<Opened> => {
    const { patience, clock, habits, ...given } = opening;
    const options = { ...(patience === undefined ? {} : { patience }), ...(clock === undefined ? {} : { clock }) };
    const source = { agent: app, name: 'fake', ...(habits === undefined ? {} : { habits }) };
    return openWith(() => acpAgent(source, options), { cwd: folder, ...given });
  };
}

/** Opens sessions of a fake agent that is a program, or of any other command. */
export function fakeProgram(quirks: Quirks = {}, command: readonly string[] = fakeCommand) {
  const folder = folderOfTest();
  return (opening: Opening = {}): Promise<Opened> => {
    const { patience, clock, habits, ...given } = opening;
    const options = { ...(patience === undefined ? {} : { patience }), ...(clock === undefined ? {} : { clock }) };
    const env = { FAKE_QUIRKS: JSON.stringify(quirks) };
    const source = { command, name: 'fake', env, ...(habits === undefined ? {} : { habits }) };
    return openWith(() => acpAgent(source, options), { cwd: folder, ...given });
  };
}

async function openWith(
  agent: () => ReturnType<typeof acpAgent>,
  given: Partial<AgentOpen> & { readonly cwd: string },
): Promise<Opened> {
  const events: AgentEvent[] = [];
  const asked: PermissionRequest[] = [];
  const { onPermission, env: added, ...rest } = given;
  const { key, env } = markedEnv();
  onTestFinished(() => expect(marked(key)).toEqual([]));
  const session = await agent().open({
    key,
    env: { ...env, ...added },
    session: { mode: 'new' },
    mcpServers: [],
    onEvent: (event) => void events.push(event),
    onPermission: (request) => {
      asked.push(request);
      return onPermission?.(request) ?? Promise.resolve({ allowed: true });
    },
    ...rest,
  });
  onTestFinished(() => session.close());
  return {
    session,
    events,
    asked,
    said: () => events.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join(''),
  };
}
