/**
 * `npm run bench [-- --smoke] [--only name] [--json file]`: builds, then measures in plain node, so that what runs is what users
 * run (XState's production build, no loader). Each bench has a process of its own; ours and its rival share it and take turns.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const build = `${root}.bench/build`;

process.stderr.write('bench: building …\n');
mkdirSync(build, { recursive: true });
execFileSync('npx', ['tsc', '-p', 'test/bench/tsconfig.json'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
// The build is the package once more: machines import `troupe`, and find this build.
copyFileSync(`${root}package.json`, `${build}/package.json`);

const main = `${build}/dist/test/bench/main.js`;
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
