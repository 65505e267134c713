/** Imports point one way: `journal, harness ← group ← process ← check, view ← cli`; no cycles. Type imports count. */
import { posix } from 'node:path';
import type { Source } from './source.ts';

/** Small files directly in src that anybody may use. */
const leaves = ['clock', 'error', 'json', 'nearest', 'version'];

/** What each part of src may import besides itself. A file directly in src is a part of its own: a leaf, or the door. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  clock: [],
  error: [],
  json: ['error'],
  nearest: [],
  version: [],
  journal: leaves,
  harness: leaves,
  group: [...leaves, 'journal', 'harness'],
  process: [...leaves, 'journal', 'harness', 'group'],
  babysitter: [...leaves, 'journal', 'harness', 'group', 'process'],
  check: [...leaves, 'journal', 'harness', 'group', 'process'],
  view: [...leaves, 'journal', 'harness', 'group', 'process'],
  // The public door: everything but the program.
  index: [...leaves, 'journal', 'harness', 'group', 'process'],
  // The composition root may import everything.
  cli: [...leaves, 'journal', 'harness', 'group', 'process', 'babysitter', 'check', 'view', 'index', 'machines'],
};

/**
 * What machines may import besides their neighbours. A process file may import `node:` too: its function harnesses do
 * the work, so they read files; nothing of it is folded.
 */
export const machineDoors = [
  'xstate',
  'immer',
  'troupe',
  'troupe/journal',
  'troupe/harness',
  'troupe/machines',
] as const;

/** Which part a path belongs to: `group` for src/group/step.ts, `error` for src/error.ts, `machines` for machines/…. */
function partOf(path: string): string {
  const [top, second] = path.split('/');
  return top === 'src' ? (second ?? '').replace(/\.ts$/, '') : (top ?? '');
}

function targetOf(source: Source, specifier: string): string {
  return posix.join(posix.dirname(source.path), specifier);
}

export function importDirection(sources: readonly Source[]): string[] {
  const problems: string[] = [];
  for (const source of sources) {
    const part = partOf(source.path);
    const allowed = mayImport[part];
    if (source.path.startsWith('src/') && allowed === undefined) {
      problems.push(
        `${source.path}: \`${part}\` has no place in the order of imports; see mayImport in test/tidy/imports.ts`,
      );
    }
    for (const specifier of source.imports) {
      if (!source.path.startsWith('src/')) continue;
      if (/^troupe(\/|$)/.test(specifier))
        problems.push(`${source.path}: imports the package's own door \`${specifier}\``);
      if (!specifier.startsWith('.')) continue;
      const target = partOf(targetOf(source, specifier));
      if (target !== part && allowed !== undefined && !allowed.includes(target)) {
        problems.push(`${source.path}: ${part} may not import ${target} (\`${specifier}\`)`);
      }
    }
  }
  return problems;
}

export function machineImports(sources: readonly Source[]): string[] {
  const problems: string[] = [];
  for (const source of sources.filter(({ path }) => path.startsWith('machines/'))) {
    const isProcess = source.path.endsWith('.process.ts');
    for (const specifier of source.imports) {
      const isNeighbour = specifier.startsWith('.') && targetOf(source, specifier).startsWith('machines/');
      if (isProcess && specifier.startsWith('node:')) continue;
      if (!isNeighbour && !(machineDoors as readonly string[]).includes(specifier)) {
        problems.push(`${source.path}: machines import only ${machineDoors.join(', ')}, not \`${specifier}\``);
      }
    }
  }
  return problems;
}

/** Each cycle once, as the path that closes it. */
export function cycles(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const problems: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) return void problems.push(`cycle: ${[...trail.slice(start), path].join(' → ')}`);
    const source = byPath.get(path);
    if (source === undefined || done.has(path)) return;
    for (const specifier of source.imports) {
      if (specifier.startsWith('.')) visit(targetOf(source, specifier), [...trail, path]);
    }
    done.add(path);
  };
  for (const path of byPath.keys()) visit(path, []);
  return problems;
}
