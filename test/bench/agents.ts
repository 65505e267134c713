/** Agents: what an adapter, the journal and the mailbox add to a turn of a real CLI, and what a host with fifty members weighs. */
import { spawn, type ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { fanOut } from '../../machines/fan-out.ts';
import { cli } from '../../src/harness/agent/cli/cli.ts';
import { fileStore } from '../../src/journal/index.ts';
import { defineProcess } from '../../src/process/define-process.ts';
import { openRun } from '../../src/process/run.ts';
import { isInstalled } from '../agents/install/folders.ts';
import { pins } from '../agents/install/pins.ts';
import { scripted } from '../agents/model/script.ts';
import { openStage, type Stage } from '../agents/stage/stage.ts';
import { startToolServer, type ToolServer } from '../harness/agent/tool-server.ts';
import { inTurns, median, rowOf, type Bench } from './measure/row.ts';
import { inFolder } from './measure/work-folder.ts';
import { bareAgentTurn, type TurnTimes } from './work/bare-agent.ts';

const mainAgents = ['claude', 'codex', 'gemini'] as const;
type MainAgent = (typeof mainAgents)[number];

const answer = 'the answer of the model';
const prompt = scripted([{ text: answer }]);

const definition = defineProcess(
  'turn',
  (ctx, { agent }: { readonly agent: string }) =>
    ctx.group('turn', fanOut, { members: [{ id: 'member', harness: agent, prompt }] }).output,
);

/** Ms from the spawn of each program that `work` starts to the end that Node tells, the longest-lived one's. */
async function lifeOf(work: () => Promise<void>): Promise<number> {
  let longestMs = 0;
  const onSpawn = (message: unknown) => {
    const beganMs = performance.now();
    const { process: child } = message as { readonly process: ChildProcess };
    child.once('exit', () => (longestMs = Math.max(longestMs, performance.now() - beganMs)));
  };
  subscribe('child_process', onSpawn);
  try {
    await work();
    return longestMs;
  } finally {
    unsubscribe('child_process', onSpawn);
  }
}

/** The same turn as a member of a group on a file journal, with its mailbox; `programMs`: how long the program itself lived. */
async function ourTurn(
  stage: Stage,
  agent: MainAgent,
  dir: string,
): Promise<TurnTimes & { readonly programMs: number }> {
  const { env, model } = stage.reach(agent);
  const harness = cli(agent, {
    inheritEnv: false,
    cwd: stage.work,
    model,
    env: { ...stage.env, ...env },
    briefing: false,
  });
  let startedMs = 0;
  let answerMs = Number.NaN;
  const observer = {
    progress(_group: string, _member: string, { line = '' }: { readonly line?: string }) {
      if (Number.isNaN(answerMs) && line.includes(answer)) answerMs = performance.now() - startedMs;
    },
  };
  const store = fileStore({ dir });
  const harnesses = { [agent]: harness };
  const run = await openRun({ store, process: definition, run: 'turn', input: { agent }, harnesses, observer });
  let said = '';
  let wholeMs = 0;
  const programMs = await lifeOf(async () => {
    startedMs = performance.now();
    said = JSON.stringify(await run.drive());
    wholeMs = performance.now() - startedMs;
  });
  await run.close();
  if (!said.includes(answer)) throw new Error(`the run came to ${said}`);
  // Of an answer that comes with the end only the end is told.
  if (Number.isNaN(answerMs)) answerMs = wholeMs;
  return { wholeMs, answerMs, programMs };
}

/** One agent: what is ours in a turn, whole turns beside the bare program's, and how soon the model's answer is known. */
async function turnsOf(agent: MainAgent, rounds: number, row: Parameters<Bench>[0]['row'], dir: string) {
  const stage = await openStage();
  const tools: ToolServer = await startToolServer();
  const seen = { answer: [] as number[], bareAnswer: [] as number[], program: [] as number[] };
  let runs = 0;
  try {
    const { env, model } = stage.reach(agent);
    const { mcpServer } = tools;
    const turn = { agent, prompt, answer, model, cwd: stage.work, env: { ...stage.env, ...env }, mcpServer };
    const { ours, bare } = await inTurns(rounds, {
      async ours() {
        const { wholeMs, answerMs, programMs } = await ourTurn(stage, agent, `${dir}/${agent}-${(runs += 1)}`);
        seen.answer.push(answerMs);
        seen.program.push(programMs);
        return wholeMs;
      },
      async bare() {
        const { wholeMs, answerMs } = await bareAgentTurn(turn);
        seen.bareAnswer.push(answerMs);
        return wholeMs;
      },
    });
    // The first round only warms up.
    const [answers, bareAnswers, programs] = [seen.answer.slice(1), seen.bareAnswer.slice(1), seen.program.slice(1)];
    const own = median(ours.map((whole, index) => whole - (programs[index] ?? Number.NaN)));
    const about = { unit: 'ms', level: 'D2' } as const;
    row(
      rowOf(
        {
          ...about,
          name: `a turn of ${agent} as a member, from the run's start to its end`,
          rivalName: 'the life of its program in the same turn',
          target: { atMost: 1.05 },
          note: `${own.toFixed(0)} ms are ours: adapter, journal, mailbox, the look for survivors; the model answers at once`,
        },
        ours,
        programs,
      ),
    );
    const rivalName = 'the program by itself, same command line, a bare MCP server';
    row(rowOf({ ...about, name: `the same turn of ${agent}`, rivalName }, ours, bare));
    row(rowOf({ ...about, name: `until the answer of ${agent} is known`, rivalName }, answers, bareAnswers));
  } finally {
    await tools.close();
    await stage.close();
  }
}

/** RSS of a host with so many members at work, MB. */
async function weightOf(kind: 'agents' | 'commands', count: number, dir: string): Promise<number> {
  const folder = mkdtempSync(join(dir, `${kind}-`));
  mkdirSync(join(folder, 'data'));
  const file = fileURLToPath(new URL('fifty-host.js', import.meta.url));
  const child = spawn(process.execPath, ['--expose-gc', file, kind, String(count), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  if (kind === 'agents') await joinAll(folder);
  child.stdin.write('memory\n');
  const { value } = await lines.next();
  child.stdin.end();
  await ended;
  return (JSON.parse(String(value)) as { readonly rss: number }).rss / 1e6;
}

/** Each member connects to its mailbox, as an agent does. */
async function joinAll(folder: string): Promise<void> {
  const files = readdirSync(folder).filter((name) => name.startsWith('at-work-'));
  for (const name of files) {
    const { mcpServers } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
      readonly mcpServers: Readonly<Record<string, { readonly url: string; readonly headers: Record<string, string> }>>;
    };
    const [server] = Object.values(mcpServers);
    if (server === undefined) throw new Error('a member has no mailbox');
    const headers = {
      ...server.headers,
      'content-type': 'application/json',
      'accept': 'application/json, text/event-stream',
    };
    const clientInfo = { name: 'bench', version: '1' };
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
    for (const body of [
      { jsonrpc: '2.0', id: 1, method: 'initialize', params },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 2, method: 'tools/list' },
    ]) {
      const response = await fetch(server.url, { method: 'POST', headers, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`the mailbox says ${response.status}: ${await response.text()}`);
      await response.arrayBuffer();
    }
  }
}

/** The bench. */
export const agents: Bench = ({ smoke, row }) =>
  inFolder(async (dir) => {
    const there = pins.filter((pin) => pin.isMain && isInstalled(pin)).map(({ agent }) => agent);
    for (const agent of mainAgents) {
      if (there.includes(agent)) await turnsOf(agent, smoke ? 1 : 9, row, dir);
      else process.stderr.write(`  ${agent} is left out: it is not installed; \`npm run test:agents\` installs it\n`);
    }
    const count = smoke ? 5 : 50;
    const weights = await inTurns(smoke ? 1 : 3, {
      ours: () => weightOf('agents', count, dir),
      commands: () => weightOf('commands', count, dir),
      empty: () => weightOf('agents', 0, dir),
    });
    const about = { unit: 'MB of RSS', level: 'D2' } as const;
    row(
      rowOf(
        {
          ...about,
          name: `a host with ${count} agents at work, each in its mailbox`,
          rivalName: `the same programs under the command harness`,
          note: `a host without members: ${(weights.empty[0] ?? Number.NaN).toFixed(0)} MB`,
        },
        weights.ours,
        weights.commands,
      ),
    );
  });
