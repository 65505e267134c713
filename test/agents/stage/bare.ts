/** A headless turn of an agent CLI as a user types it, with nothing of ours in between. */
import { spawn } from 'node:child_process';
import { pins, type AgentName } from '../install/pins.ts';
import { programOf } from '../install/folders.ts';
import type { JsonValue } from '../../../src/json.ts';
import { objectOf, textOf, type JsonObject } from '../model/question.ts';
import type { Reach } from './reach.ts';

/** Command line of one turn, everything allowed; `stdin`: where the prompt is not an argument. */
function commandOf(name: AgentName, prompt: string, { model }: Reach): { argv: string[]; stdin: string } {
  const argv = (...words: readonly string[]) => ({ argv: [...words], stdin: '' });
  switch (name) {
    case 'claude': {
      const how = ['--output-format', 'stream-json', '--verbose', '--dangerously-skip-permissions'];
      return argv('-p', prompt, ...how);
    }
    case 'codex': {
      const how = ['--json', '--skip-git-repo-check', '-m', model, '--dangerously-bypass-approvals-and-sandbox'];
      return argv('exec', ...how, prompt);
    }
    case 'gemini':
      return argv('-p', prompt, '-o', 'stream-json', '--approval-mode', 'yolo', '--skip-trust', '-m', model);
    case 'opencode':
      return { argv: ['run', '--format', 'json', '--auto', '--title', 't'], stdin: prompt };
    case 'qwen':
      return argv(prompt, '--bare', '-o', 'stream-json', '--yolo');
    case 'copilot':
      return argv('-p', prompt, '--output-format', 'json', '--no-auto-update', '--allow-all');
  }
}

/** What a bare turn came to. */
export interface BareTurn {
  readonly lines: readonly JsonObject[];
  /** All that it said, put together. */
  readonly text: string;
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly tookMs: number;
  /** Until the first line. */
  readonly firstLineMs: number;
}

/** Runs it to its end. */
export function bareTurn(
  name: AgentName,
  prompt: string,
  where: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly reach: Reach },
): Promise<BareTurn> {
  const pin = pins.find((one) => one.name === name);
  if (pin === undefined) throw new Error(`no agent is called ${name}`);
  const { argv, stdin } = commandOf(name, prompt, where.reach);
  const startedMs = performance.now();
  const child = spawn(programOf(pin), argv, { cwd: where.cwd, env: where.env, stdio: 'pipe' });
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  let stdout = '';
  let stderr = '';
  let firstLineMs = Number.NaN;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (Number.isNaN(firstLineMs)) firstLineMs = performance.now() - startedMs;
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      const tookMs = performance.now() - startedMs;
      const lines = stdout
        .split('\n')
        .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as JsonObject] : []));
      resolve({ lines, text: lines.map(textIn).join(''), exitCode, stderr, tookMs, firstLineMs });
    });
  });
}

/** What a line says of the answer's text, whichever agent wrote it. */
function textIn(line: JsonObject): string {
  const { type, message, item, part, data, role, content } = line;
  if (type === 'assistant') return contentText(objectOf(message)['content']); // claude, qwen
  if (type === 'item.completed' && objectOf(item)['type'] === 'agent_message') return textOf(objectOf(item)['text']); // codex
  if (type === 'message' && role === 'assistant') return textOf(content); // gemini
  if (type === 'text') return textOf(objectOf(part)['text']); // opencode
  return type === 'assistant.message' ? textOf(objectOf(data)['content']) : ''; // copilot
}

function contentText(content: JsonValue | undefined): string {
  return Array.isArray(content)
    ? content.map((block: JsonValue) => textOf(objectOf(block)['text'])).join('')
    : textOf(content);
}
