/**
 * `npm run package`: packs the package as it would be published, lets publint and attw judge the tarball, installs
 * it into an empty project, and opens every door there: on this node, and on a newer one where it can be fetched.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listFiles } from '../tidy/source.ts';

const newerNode = 'node@24';
const root = fileURLToPath(new URL('../..', import.meta.url));
const place = mkdtempSync(join(tmpdir(), 'troupe-package-'));
const bin = (name: string) => join(root, 'node_modules/.bin', name);

/** Runs a step and returns its output; a failed step ends the check. */
function run(what: string, program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status === 0) {
    console.log(`ok    ${what}`);
    return stdout;
  }
  console.log(`FAIL  ${what}\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`);
  throw new Error(what);
}

/** A copy of what is committed, so that nothing old in dist is packed, and no test meets a half-built one. */
function copySources(): string {
  const copy = join(place, 'copy');
  for (const path of listFiles(root)) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(root, path), join(copy, path));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

function pack(): string {
  run('npm pack', 'npm', ['pack', '--silent', '--pack-destination', place], copySources());
  const tarball = readdirSync(place).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack left no tarball');
  return join(place, tarball);
}

/** A program that imports every door and prints what it finds there. */
function opener(): string {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object };
  const doors = Object.keys(exports)
    .filter((door) => !door.endsWith('.json'))
    .map((door) => door.replace(/^\./, 'troupe'));
  return `for (const door of ${JSON.stringify(doors)}) {
  const names = Object.keys(await import(door));
  if (names.length === 0) throw new Error(door + ' exports nothing');
  console.log('      ' + door + ': ' + names.join(', '));
}\n`;
}

function check(): void {
  const tarball = pack();
  run('publint', bin('publint'), ['run', tarball, '--strict'], place);
  run('attw', bin('attw'), [tarball, '--profile', 'esm-only'], place);
  const project = join(place, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "guest", "private": true, "type": "module" }\n');
  writeFileSync(join(project, 'open.js'), opener());
  const install = ['install', '--silent', '--prefer-offline', '--no-audit', '--no-fund'];
  run('installs into an empty project', 'npm', [...install, tarball], project);
  console.log(run(`every door opens on node ${process.version}`, process.execPath, ['open.js'], project).trimEnd());
  run('the program starts', join(project, 'node_modules/.bin/troupe'), ['--help'], project);
  checkNewerNode(project, install);
}

function checkNewerNode(project: string, install: readonly string[]): void {
  const elsewhere = join(place, 'newer');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'package.json'), '{ "name": "newer", "private": true }\n');
  const { status } = spawnSync('npm', [...install, newerNode], { cwd: elsewhere, encoding: 'utf8' });
  const node = join(elsewhere, 'node_modules/.bin/node');
  const version = status === 0 ? spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout : null;
  if (version === null) return console.log(`skip  every door opens on ${newerNode}: it could not be fetched`);
  run(`every door opens on node ${version.trim()}`, node, ['open.js'], project);
}

try {
  check();
} catch (error) {
  console.log(String(error));
  process.exitCode = 1;
} finally {
  rmSync(place, { recursive: true, force: true });
}
