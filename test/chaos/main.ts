/** Parts of the chaos tests, one after the other; `start.ts` compiles and starts this. Arguments: names of parts; none: all. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crashEverywhere, refuseEverywhere, type EverywhereReport } from './crash-everywhere.ts';
import { badDisk } from './bad-disk.ts';
import { killAnywhere } from './kill-anywhere.ts';
import { endAllOf } from './living.ts';
import { loadProgram, type Program } from './program.ts';
import { signals } from './signals.ts';
import { twoHosts } from './two-hosts.ts';

/** What a part is given. */
interface Stage {
  readonly program: Program;
  /** A folder for what it needs; kept when the part fails. */
  readonly folder: string;
  readonly seed: string;
}

const env = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise);

const parts: Readonly<Record<string, (stage: Stage) => Promise<string>>> = {
  async kill({ program, folder, seed }) {
    const only = process.env['TROUPE_RUN'];
    const parallel = env('TROUPE_PARALLEL', Math.max(2, availableParallelism()));
    const report = await killAnywhere({
      program,
      folder,
      seed,
      kills: env('TROUPE_KILLS', 200),
      parallel,
      only: only === undefined ? undefined : Number(only),
    });
    const triggers = Object.entries(report.byTrigger).map(([name, count]) => `${name} ${count}`);
    return `${report.kills} kills in ${report.runs} runs (${triggers.join(', ')}), ${report.acknowledged} acknowledged entries, none lost`;
  },
  hosts: ({ program, folder }) => twoHosts({ program, folder, rounds: env('TROUPE_ROUNDS', 20) }),
  signals: ({ program, folder }) => signals({ program, folder }),
  disk: ({ program, folder }) => badDisk({ program, folder }),
  async crash() {
    return told(await crashEverywhere());
  },
  async refuse() {
    return told(await refuseEverywhere());
  },
};

function told({ calls, positions, survived }: EverywhereReport): string {
  return `${positions} positions (${calls.join(' and ')} file-system calls, by blocking and by asynchronous flushes), ${survived} of them harmless`;
}

async function main(): Promise<boolean> {
  const program = await loadProgram(join(dirname(fileURLToPath(import.meta.url)), '../..'));
  const seed = process.env['TROUPE_SEED'] ?? String(Date.now() % 1_000_000);
  const asked = process.argv.slice(2);
  let failures = 0;
  for (const [name, part] of Object.entries(parts)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const folder = mkdtempSync(join(tmpdir(), 'troupe-chaos-'));
    const startedMs = performance.now();
    const seconds = () => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
    try {
      console.log(`ok    ${name}: ${await part({ program, folder, seed })} (${seconds()})`);
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      failures += 1;
      console.log(`FAIL  ${name} (${seconds()}): ${error instanceof Error ? error.stack : String(error)}`);
      if (error instanceof Error && error.cause instanceof Error) console.log(error.cause.stack);
    }
  }
  return failures === 0;
}

// Whoever ends this ends everything that it started.
process.on('exit', () => endAllOf(`chaos-${process.pid}-`));
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(130));
process.exitCode = (await main()) ? 0 : 1;
