/** `npm run test:chaos`: compiles a copy of the code into a temporary folder, and runs `main.ts` there. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'troupe-chaos-program-'));
try {
  compile(fileURLToPath(new URL('../..', import.meta.url)), folder);
  const { status } = spawnSync(process.execPath, [join(folder, 'test/chaos/main.js'), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
