/** `npm run test:babysitter [-- <part of a test file's name> …]`: installs babysitter's SDK into `.babysitter-sdk`, and tests with it, longer than `npm test` does. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installSdk } from './install.ts';

const trouble = installSdk((line) => process.stdout.write(`${line}\n`));
if (trouble === undefined) {
  const asked = process.argv.slice(2);
  const files = asked.length === 0 ? ['test/babysitter'] : asked.map((name) => `test/babysitter/${name}`);
  const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'development', '--maxWorkers=2', ...files], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    stdio: 'inherit',
    env: { TROUPE_BABYSITTER_KILLS: '50', ...process.env },
  });
  process.exitCode = status ?? 1;
} else {
  process.stderr.write(`babysitter-sdk could not be installed: ${trouble}\n`);
  process.exitCode = 1;
}
