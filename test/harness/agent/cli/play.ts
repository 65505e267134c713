/**
 * A program that plays an agent CLI: it reads its prompt, a JSON list of steps, from standard input, and prints events of the agent
 * port, one per line. A prompt that is no list ends the turn with what it was told. Run as a process of its own.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

interface Step {
  readonly say?: string;
  /** Any line, or lines. */
  readonly print?: string;
  readonly event?: object;
  /** Starts this in the background: out of the process group where it begins with `setsid`. */
  readonly start?: string;
  readonly waitMs?: number;
  readonly ignoreSignals?: boolean;
  /** Told on SIGINT, and the end of the process. */
  readonly lastEvent?: object;
  readonly exit?: number;
  readonly end?: string;
  /** Says the value of this variable, on both outputs. */
  readonly leak?: string;
  readonly hang?: boolean;
}

const [mode = '', session = '', mcp = ''] = process.argv.slice(2);
const tell = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);
const log = process.env['PLAY_LOG'];
const prompt = readFileSync(0, 'utf8');
if (log !== undefined) appendFileSync(log, `${JSON.stringify({ mode, session, prompt })}\n`);
if (mcp !== '') {
  const server = (JSON.parse(readFileSync(mcp, 'utf8')) as { mcpServers: Record<string, { url: string }> }).mcpServers[
    'group'
  ];
  tell({ type: 'notice', line: `mcp ${server?.url.split(':')[1]} ${(statSync(mcp).mode & 0o777).toString(8)} ${mcp}` });
}
let steps: readonly Step[];
try {
  steps = JSON.parse(prompt) as readonly Step[];
} catch {
  steps = [{ end: `${mode} ${session}: ${prompt}` }];
}
for (const step of steps) {
  if (step.say !== undefined) tell({ type: 'text', text: step.say });
  if (step.print !== undefined) process.stdout.write(step.print);
  if (step.event !== undefined) tell(step.event);
  if (step.start !== undefined)
    spawn('sh', ['-c', step.start], { stdio: 'ignore', detached: step.start.startsWith('setsid') });
  if (step.ignoreSignals === true) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  if (step.lastEvent !== undefined) {
    const last = step.lastEvent;
    process.on('SIGINT', () => {
      tell(last);
      process.exit(0);
    });
  }
  if (step.leak !== undefined) {
    tell({ type: 'text', text: `it is ${process.env[step.leak]}` });
    process.stderr.write(`it is ${process.env[step.leak]}\n`);
  }
  if (step.waitMs !== undefined) await delay(step.waitMs);
  if (step.end !== undefined) tell({ type: 'end', status: 'ok', text: step.end });
  if (step.exit !== undefined) process.exit(step.exit);
  if (step.hang !== true) continue;
  if (process.env['PLAY_FINISH'] === undefined) await delay(600_000);
  tell({ type: 'end', status: 'ok', text: `${mode} ${session}: all over again` });
}
process.exit(0);
