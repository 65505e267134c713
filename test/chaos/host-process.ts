/** Starting, watching and ending host programs. Every one of them ends with this process, by its pid. */
import { spawn } from 'node:child_process';
import type { HostOrders } from './account.ts';
import type { Program } from './program.ts';

/** How a host program ended. */
export interface HostEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** When its end was seen, ms since 1970. */
  readonly at: number;
}

/** A host program that was started. */
export interface HostProcess {
  readonly pid: number;
  readonly ended: Promise<HostEnd>;
  isAlive(): boolean;
  kill(signal: NodeJS.Signals): void;
}

const living = new Set<HostProcess>();
process.on('exit', () => {
  for (const host of living) host.kill('SIGKILL');
});

/** Starts a host program; `wrap` goes before `node` on its command line. */
export function startHost(program: Program, orders: HostOrders, wrap: readonly string[] = []): HostProcess {
  const node = [process.execPath, program.file('test/chaos/host-program.ts'), JSON.stringify(orders)];
  const [file = '', ...args] = [...wrap, ...node];
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: program.folder });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-4_000);
  });
  // Its children may hold the pipe open: only its own end counts.
  const ended = new Promise<HostEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const at = Date.now();
      living.delete(host);
      // What it wrote last is read before its end is told.
      setImmediate(() => {
        child.stderr.destroy();
        resolve({ code, signal, stderr, at });
      });
    });
  });
  const host: HostProcess = {
    pid: child.pid ?? 0,
    ended,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    kill: (signal) => void child.kill(signal),
  };
  living.add(host);
  return host;
}
