/** An agent CLI by itself: the same command line as the adapter's, the same prompt, an MCP server that is nothing but one. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { programs, type CliName } from '../../../src/harness/agent/cli/programs.ts';
import type { AgentMcpServer } from '../../../src/harness/agent/port.ts';

/** One turn. */
export interface BareAgentTurn {
  readonly agent: CliName;
  readonly prompt: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly model: string;
  readonly mcpServer: AgentMcpServer;
  /** Part of the answer, to know it when it comes. */
  readonly answer: string;
}

/** How long it took, ms. */
export interface TurnTimes {
  /** Until the program has ended. */
  readonly wholeMs: number;
  /** Until its answer stood in what it wrote. */
  readonly answerMs: number;
}

/** Runs it. Rejects when the answer never came. */
export async function bareAgentTurn(turn: BareAgentTurn): Promise<TurnTimes> {
  const row = programs[turn.agent];
  const folder = mkdtempSync(join(turn.cwd, '..', 'bare-'));
  try {
    let files = 0;
    const place = (name: string) => join(folder, `${(files += 1)}-${name}`);
    const line = await row.commandLine({
      prompt: turn.prompt,
      session: { id: row.capabilities.presetSession ? randomUUID() : undefined, isNew: true },
      mcpServers: [turn.mcpServer],
      model: turn.model,
      outputSchema: undefined,
      costUsdMax: undefined,
      sandbox: 'read-only',
      retries: 2,
      env: turn.env,
      cwd: turn.cwd,
      file(name, content) {
        const path = place(name);
        writeFileSync(path, content);
        return Promise.resolve(path);
      },
      folder(name) {
        const path = place(name);
        mkdirSync(path);
        return Promise.resolve(path);
      },
    });
    const [file = '', ...words] = [...row.command, ...line.args];
    const startedMs = performance.now();
    const child = spawn(file, words, { cwd: turn.cwd, env: { ...turn.env, ...line.env }, stdio: 'pipe' });
    child.stdin.on('error', () => {});
    if (row.input === undefined) child.stdin.end(line.stdin ?? '');
    else child.stdin.write(`${row.input.prompt(turn.prompt)}\n`);
    let said = '';
    let answerMs = Number.NaN;
    child.stderr.resume();
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (Number.isNaN(answerMs) && said.includes(turn.answer)) answerMs = performance.now() - startedMs;
      if (said.includes('"type":"result"')) child.stdin.end();
    });
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (Number.isNaN(answerMs)) throw new Error(`${turn.agent} ended with ${String(code)} and without its answer`);
    return { wholeMs: performance.now() - startedMs, answerMs };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
