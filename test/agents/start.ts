/**
 * `npm run test:agents [-- <part of a test file's name> …]`: installs pinned agent CLIs into `.agent-clis` and runs the real
 * programs against the mock model. `TROUPE_AGENTS=all`, or names with commas: which ones. No key, and no network but npm's.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { install } from './install/install.ts';
import { pinsOf } from './install/pins.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tell = (line: string) => console.log(`agents: ${line}`);

const pins = pinsOf(process.env['TROUPE_AGENTS']);
const failed = await install(pins, tell);
for (const { pin, why } of failed) tell(`${pin.name} is left out, it could not be installed: ${why}`);
const usable = pins.filter((pin) => !failed.some((one) => one.pin === pin));

if (failed.some(({ pin }) => pin.isMain) || usable.length === 0) process.exitCode = 1;
else {
  const names = usable.map(({ name }) => name).join(',');
  tell(`testing with ${names}`);
  const asked = process.argv.slice(2);
  const files = asked.length === 0 ? ['test/agents'] : asked.map((name) => `test/agents/${name}`);
  const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'development', '--maxWorkers=2', ...files], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TROUPE_AGENTS: names },
  });
  process.exitCode = status ?? 1;
}
