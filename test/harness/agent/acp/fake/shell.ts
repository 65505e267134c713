/** A fake agent's shell. */
import { spawn } from 'node:child_process';
import type { OwnTools } from './app.ts';

/** Runs `sh -c` in the folder, in a process group of its own, as Gemini's and OpenCode's do; its end is not looked after. */
export function shellIn(folder: string): OwnTools[string] {
  return ({ command }, signal) =>
    new Promise((resolve) => {
      const stdio = ['ignore', 'pipe', 'ignore'] as const;
      const argv = ['-c', typeof command === 'string' ? command : ''];
      const child = spawn('sh', argv, { cwd: folder, detached: true, stdio: [...stdio] });
      let said = '';
      child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
      child.once('close', () => resolve(said));
      signal.addEventListener('abort', () => resolve('interrupted'));
    });
}
