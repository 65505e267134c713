/**
 * `npm run test:chaos`: compiles a copy of the code into a temporary folder, and runs `main.ts` there. Arguments: names of
 * parts; none: all. TROUPE_SEED chooses the same things again, TROUPE_KILLS and TROUPE_ROUNDS how many, TROUPE_RUN one run of them.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from './program.ts';

const seed = process.env['TROUPE_SEED'] ?? String(Date.now() % 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'troupe-chaos-program-'));
const children = new Set<ChildProcess>();
const tell = (signal: NodeJS.Signals) => {
  for (const child of children) child.kill(signal);
};
process.on('SIGINT', tell);
process.on('SIGTERM', tell);

/** Runs some parts, one after the other; resolves to whether all held. */
function run(parts: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [join(folder, 'test/chaos/main.js'), ...parts], {
    stdio: 'inherit',
    env: { ...process.env, TROUPE_SEED: seed },
  });
  children.add(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      children.delete(child);
      resolve(code === 0);
    });
  });
}

try {
  console.log(`chaos: TROUPE_SEED=${seed}`);
  const startedMs = performance.now();
  compile(fileURLToPath(new URL('../..', import.meta.url)), folder);
  const asked = process.argv.slice(2);
  const held =
    asked.length > 0
      ? [await run(asked)]
      : // The first keeps every core busy; of the others some wait and some compute.
        [await run(['kill']), ...(await Promise.all([run(['hosts', 'signals', 'disk']), run(['crash', 'refuse'])]))];
  const isHeld = held.every(Boolean);
  console.log(
    `chaos: ${isHeld ? 'everything held' : 'something did not hold'} (${Math.round((performance.now() - startedMs) / 1000)} s)`,
  );
  process.exitCode = isHeld ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
