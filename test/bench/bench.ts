/**
 * `npm run bench [-- --smoke] [--only name] [--json file]`: builds, then measures in plain node, so that what runs is what users
 * run (XState's production build, no loader). Each bench has a process of its own; ours and its rival share it and take turns.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const build = `${root}.bench/build`;

process.stderr.write('bench: building …\n');
mkdirSync(build, { recursive: true });
execFileSync('npx', ['tsc', '-p', 'test/bench/tsconfig.json'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
// The build is the package once more: machines import `troupe`, and find this build, module by module as the benches do.
const packageJson = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
};
const doors = Object.entries(packageJson.exports).map(([door, target]) => [
  door,
  typeof target === 'string' ? target : target.types.replace('.d.ts', '.js'),
]);
writeFileSync(`${build}/package.json`, JSON.stringify({ ...packageJson, exports: Object.fromEntries(doors) }));
// What is measured from the start of its process is bundled, as the package is.
const bundled = ['resume-child.js', 'work/waiting-run.js'].map((name) => `${build}/dist/test/bench/${name}`);
const how = [
  '--bundle',
  '--splitting',
  '--format=esm',
  '--platform=node',
  '--packages=external',
  '--minify-whitespace',
  '--line-limit=160',
  '--log-level=warning',
];
execFileSync('npx', ['esbuild', ...bundled, ...how, `--outdir=${build}/bundled`], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});

const main = `${build}/dist/test/bench/main.js`;
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
