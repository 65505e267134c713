/** What the rules look at: the repository's files, and TypeScript sources read by a parser. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Comment, parseSync } from 'oxc-parser';

/** A node of the syntax tree (ESTree); fields besides these by `type`. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Source {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly program: Node;
  readonly comments: readonly Comment[];
  /** Module specifiers of imports, re-exports, dynamic imports and import types. */
  readonly imports: readonly string[];
}

/** Reads one source; throws when it is not TypeScript. */
export function parseSource(path: string, text: string): Source {
  const parsed = parseSync(path, text, { lang: 'ts' });
  if (parsed.errors.length > 0) throw new Error(`${path}: ${parsed.errors[0]?.message}`);
  const program = parsed.program as unknown as Node;
  const imports: string[] = [];
  walk(program, (node) => {
    const from = importKinds.has(node.type) ? (node['source'] as Node | null) : null;
    if (from?.type === 'Literal') imports.push(String(from['value']));
  });
  return { path, text, program, comments: parsed.comments, imports };
}

const importKinds = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
]);

/** Visits every node, outermost first, with its ancestors (nearest last). */
export function walk(
  node: Node,
  visit: (node: Node, ancestors: readonly Node[]) => void,
  ancestors: readonly Node[] = [],
): void {
  visit(node, ancestors);
  const below = [...ancestors, node];
  for (const field of Object.values(node)) {
    for (const child of Array.isArray(field) ? field : [field]) {
      if (isNode(child)) walk(child, visit, below);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** 1-based line of a position. */
export function lineOf(source: Source, position: number): number {
  return source.text.slice(0, position).split('\n').length;
}

/** Every file that is committed or would be: what is not ignored. Without git (or its trust) the folders are walked. */
export function listFiles(root: string): string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const git = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  const paths = git.status === 0 ? git.stdout.split('\0') : walkFolders(root);
  return [...new Set(paths)].filter((path) => path !== '' && existsSync(join(root, path))).toSorted();
}

/** The same list by the lines of .gitignore that name a folder or an ending: all that ours has. */
function walkFolders(root: string): string[] {
  const ignored = readText(root, '.gitignore').split('\n');
  const isIgnored = (name: string) => ignored.includes(`${name}/`) || ignored.includes(name.replace(/^.*(?=\.)/, '*'));
  const filesIn = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      if (entry.name === '.git' || isIgnored(entry.name)) return [];
      return entry.isDirectory() ? filesIn(path) : [path];
    });
  return filesIn('.');
}

export function readText(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
