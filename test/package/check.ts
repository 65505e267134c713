/**
 * `npm run package`: packs the package as it would be published, lets publint and attw judge the tarball, installs
 * it into an empty project, opens every door there and runs processes: on this node, on the lowest, and on newer ones where they can be
 * fetched.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listFiles } from '../tidy/source.ts';

const otherNodes = ['20.19.0', '24', '26'];
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

const names = "export enum Name { First = 'first' }\n";
const importing = (from: string) =>
  `import { defineProcess } from 'troupe';
import { fanOut } from 'troupe/machines';
import { Name } from '${from}';
const members = ['a', 'b'].map((id) => ({ id, command: ['node', '-e', 'console.log(process.version)'] }));
export default defineProcess('guest', async (ctx) => {
  const { failed } = await ctx.group('guests', fanOut, { members }).output;
  return { failed: failed.length, name: Name.First };
});
`;
/** Process files as people write them, with what tsx alone translates. */
const processFiles = {
  'names.ts': names,
  'typed.process.ts': importing('./names'),
  'plain.process.mjs': importing('./names.ts'),
};

/** Opens every door and runs the processes; standard error says nothing that is not ours. */
function tryOn(node: string, version: string, project: string): void {
  const opened = run(`every door opens on node ${version}`, node, ['open.js'], project);
  if (node === process.execPath) console.log(opened.trimEnd());
  for (const file of Object.keys(processFiles).filter((name) => name.includes('process'))) {
    const what = `${file} runs on node ${version}`;
    const args = ['node_modules/troupe/dist/bundle/main.js', 'run', file, '--json'];
    const path = `${dirname(node)}${delimiter}${process.env['PATH'] ?? ''}`;
    const told = spawnSync(node, args, { cwd: project, encoding: 'utf8', env: { ...process.env, PATH: path } });
    const last = told.stdout.trimEnd().split('\n').at(-1) ?? '';
    const isRight = last.includes('"output":{"failed":0,"name":"first"}') && told.stderr === '';
    console.log(`${isRight ? 'ok   ' : 'FAIL '} ${what}`);
    if (!isRight) throw new Error(`${what}: ${last}\n${told.stderr}`);
  }
}

function check(): void {
  const tarball = pack();
  run('publint', bin('publint'), ['run', tarball, '--strict'], place);
  run('attw', bin('attw'), [tarball, '--profile', 'esm-only'], place);
  const project = join(place, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "guest", "private": true, "type": "module" }\n');
  writeFileSync(join(project, 'open.js'), opener());
  for (const [name, text] of Object.entries(processFiles)) writeFileSync(join(project, name), text);
  const install = ['install', '--silent', '--prefer-offline', '--no-audit', '--no-fund'];
  run('installs into an empty project', 'npm', [...install, tarball], project);
  run('the program starts', join(project, 'node_modules/.bin/troupe'), ['--help'], project);
  tryOn(process.execPath, process.version, project);
  for (const wanted of otherNodes) {
    const node = fetchNode(wanted, install);
    if (node === undefined) console.log(`skip  node ${wanted}: it could not be fetched`);
    else tryOn(node.path, node.version, project);
  }
}

function fetchNode(
  wanted: string,
  install: readonly string[],
): { readonly path: string; readonly version: string } | undefined {
  const elsewhere = join(place, `node-${wanted}`);
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'package.json'), '{ "name": "other-node", "private": true }\n');
  const { status } = spawnSync('npm', [...install, `node@${wanted}`], { cwd: elsewhere, encoding: 'utf8' });
  const path = join(elsewhere, 'node_modules/node/bin/node');
  const version = status === 0 ? spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout : null;
  return version === null ? undefined : { path, version: version.trim() };
}

try {
  check();
} catch (error) {
  console.log(String(error));
  process.exitCode = 1;
} finally {
  rmSync(place, { recursive: true, force: true });
}
