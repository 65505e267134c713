/** What the figures were measured on. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, totalmem } from 'node:os';
import { median } from './row.ts';
import { workFolder } from './work-folder.ts';

/** Head of the results. */
export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly xstate: string;
  /** Load averages of the last 1, 5 and 15 minutes, at the start. */
  readonly load: readonly number[];
  /** One blocking write of 250 bytes and its fdatasync. */
  readonly flushMs: number;
  readonly flushMsP99: number;
  readonly at: string;
}

/** Measures and asks. */
export async function machineFacts(smoke: boolean): Promise<MachineFacts> {
  const folder = mkdtempSync(`${workFolder()}/flush-`);
  const file = openSync(`${folder}/file`, 'a');
  const line = Buffer.alloc(250, 'x');
  const times: number[] = [];
  for (let count = 0; count < (smoke ? 100 : 1_000); count += 1) {
    const startedMs = performance.now();
    writeSync(file, line);
    fdatasyncSync(file);
    times.push(performance.now() - startedMs);
  }
  closeSync(file);
  rmSync(folder, { recursive: true });
  const manifest = createRequire(import.meta.url).resolve('xstate/package.json');
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: totalmem() / 2 ** 30,
    node: process.version,
    xstate: String((JSON.parse(readFileSync(manifest, 'utf8')) as { version: unknown }).version),
    load: loadavg(),
    flushMs: median(times),
    flushMsP99: times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN,
    at: new Date().toISOString(),
  };
}
