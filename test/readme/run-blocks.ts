/** Type-checks and runs what a README shows, in a folder of its own where `troupe` is installed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { blocksOf, commandsOf, filesOf, type ShownFile } from './blocks.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const commandMs = 60_000;

/** What is wrong with the shown files and commands: empty when all is well. Needs a built dist. */
export function runBlocks(markdown: string): string[] {
  const blocks = blocksOf(markdown);
  const files = filesOf(blocks);
  const commands = commandsOf(blocks);
  if (files.length === 0 && commands.length === 0) return [];
  const place = mkdtempSync(join(tmpdir(), 'troupe-readme-'));
  try {
    furnish(place, files);
    const problems = checkTypes(place, files);
    for (const { name, line } of files.filter((file) => !file.name.endsWith('.test.ts'))) {
      problems.push(...run(place, `node --import tsx ${name}`, 0, `line ${line}: ${name}`));
    }
    for (const [index, { line, command, exitCode }] of commands.entries()) {
      // npx takes longer to start than most commands take: the first one shows that it finds the program.
      const typed = index === 0 ? command : command.replace(/^npx (?=troupe )/, '');
      problems.push(...run(place, typed, exitCode, `line ${line}: ${command}`));
    }
    return problems;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** The folder of a user who has installed troupe, xstate and what they need. */
function furnish(place: string, files: readonly ShownFile[]): void {
  const modules = join(place, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  for (const name of ['xstate', '@types', 'tsx', 'vitest'])
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  symlinkSync(root, join(modules, 'troupe'));
  symlinkSync(join(root, 'dist/bundle/main.js'), join(modules, '.bin/troupe'));
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
  };
  writeFileSync(join(place, 'package.json'), '{ "name": "reader", "private": true, "type": "module" }\n');
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  for (const { name, text } of files) writeFileSync(join(place, name), text, { flag: 'wx' });
}

function checkTypes(place: string, files: readonly ShownFile[]): string[] {
  if (files.length === 0) return [];
  const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', place], {
    cwd: place,
    encoding: 'utf8',
  });
  if (status === 0) return [];
  return stdout
    .trim()
    .split('\n')
    .map((problem) => {
      const [, name, line] = /^([^(]+)\((\d+),/.exec(problem) ?? [];
      const file = files.find((shown) => shown.name === name);
      return file === undefined ? problem : `line ${file.line + Number(line) - 1}: ${problem}`;
    });
}

function run(place: string, command: string, exitCode: number, what: string): string[] {
  const path = [join(place, 'node_modules/.bin'), process.env['PATH']].join(delimiter);
  const options = {
    cwd: place,
    encoding: 'utf8',
    shell: true,
    timeout: commandMs,
    env: { ...process.env, PATH: path },
  } as const;
  const { status, signal, stdout, stderr } = spawnSync(command, options);
  return status === exitCode ? [] : [`${what}\nended with ${signal ?? status}, not ${exitCode}:\n${stdout}${stderr}`];
}
