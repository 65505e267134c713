/**
 * Is this repository fit to be released? Eight real commands as members of one group, three at a time, a checkpoint after
 * every two. Kill it half-way and start it again: what has settled is not run again.
 *
 *     npx troupe run machines/examples/release-check.process.ts --continue
 *
 * Run it in the repository's own folder, after `npm ci`. The commands are argument vectors, and the same on every machine:
 * they are part of the group's identity.
 */
import { defineProcess, type JsonValue } from 'troupe';
import { fanOut, type FanOutMember } from 'troupe/machines';

/** Counts files and lines of the folders named on its command line. */
const countLines = `
const { readdirSync, readFileSync } = require('node:fs');
let files = 0, lines = 0;
for (const folder of process.argv.slice(1)) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    files += 1;
    lines += readFileSync(entry.parentPath + '/' + entry.name, 'utf8').split('\\n').length - 1;
    console.log(files + ' files, ' + lines + ' lines');
  }
}`;

/** Fails when work was put off in a comment. */
const findLeftovers = `
const { readdirSync, readFileSync } = require('node:fs');
let found = 0;
for (const folder of process.argv.slice(1)) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const path = entry.parentPath + '/' + entry.name;
    for (const [index, line] of readFileSync(path, 'utf8').split('\\n').entries()) {
      if (!/^\\s*(\\/\\/|\\/?\\*).*\\b(TODO|FIXME|XXX)\\b/.test(line)) continue;
      found += 1;
      console.log(path + ':' + (index + 1) + ': ' + line.trim());
    }
  }
}
console.log(found + ' left over');
process.exitCode = found === 0 ? 0 : 1;`;

/** Fails when a package that users get has a licence that is not permissive. */
const checkLicences = `
const { readFileSync } = require('node:fs');
const allowed = /^\\(?(MIT|ISC|BSD-[23]-Clause|Apache-2\\.0|0BSD|BlueOak-1\\.0\\.0|CC0-1\\.0|Unlicense)\\b/;
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const shipped = Object.entries(packages).filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional);
const refused = shipped.filter(([, { license }]) => !allowed.test(String(license)));
for (const [path, { license }] of refused) console.log(path + ': ' + license);
console.log(shipped.length + ' packages, ' + refused.length + ' refused');
process.exitCode = refused.length === 0 ? 0 : 1;`;

/** A tool of this repository, started without npx, which takes longer than some of them. */
const tool = (path: string, ...args: readonly string[]) => ['node', `node_modules/${path}`, ...args];

const plain = { NO_COLOR: '1', FORCE_COLOR: '0', CI: 'true' };

const checks: readonly FanOutMember[] = [
  { id: 'types', command: tool('typescript/bin/tsc', '-p', 'test/tsconfig.json'), env: plain, timeoutMs: 300_000 },
  { id: 'lint', command: tool('oxlint/bin/oxlint'), env: plain, timeoutMs: 300_000 },
  {
    id: 'unit tests',
    command: tool('vitest/vitest.mjs', 'run', '--project', 'development', 'test/journal', 'test/machines'),
    env: plain,
    timeoutMs: 300_000,
  },
  { id: 'format', command: tool('oxfmt/bin/oxfmt', '--check'), env: plain, timeoutMs: 300_000 },
  { id: 'package', command: ['npm', 'pack', '--dry-run', '--ignore-scripts'], env: plain, timeoutMs: 300_000 },
  { id: 'size', command: ['node', '-e', countLines, 'src', 'machines', 'test'], timeoutMs: 60_000 },
  { id: 'leftovers', command: ['node', '-e', findLeftovers, 'src', 'machines', 'test'], timeoutMs: 60_000 },
  { id: 'licences', command: ['node', '-e', checkLicences], timeoutMs: 60_000 },
];

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

/** The figure that a check is about, found in what it printed; for the others it is the last line. */
const figures: Readonly<Record<string, RegExp>> = {
  'lint': /Found (.+?)\.?$/m,
  'unit tests': /Tests +(\d+ passed)/,
  'format': /on (\d+ files)/,
  'package': /total files: (\d+)/,
};

function figureOf({ id, output }: { readonly id: string; readonly output: JsonValue }): string {
  // The output of a member whose harness is `command`.
  const { stdout, stderr } = output as { readonly stdout: string; readonly stderr: string };
  const found = figures[id]?.exec(stdout + stderr)?.[1];
  if (id === 'package' && found !== undefined) return `${lastLine(stdout)}, ${found} files`;
  return found ?? (lastLine(stdout) || 'ok');
}

/** Output: the verdict, and a line per check. Fails, naming them, when checks have failed. */
export default defineProcess('release-check', async (ctx) => {
  const group = ctx.group('checks', fanOut, { members: checks, concurrency: 3, checkpointEvery: 2 });
  const { results, failed, settled } = await group.output;
  if (failed.length > 0) {
    throw new Error(`not fit for release: ${failed.map(({ id }) => id).join(', ')} of ${settled} checks failed`);
  }
  return {
    verdict: `fit for release: ${settled} of ${checks.length} checks passed`,
    checks: Object.fromEntries(results.map((result) => [result.id, figureOf(result)])),
  };
});
