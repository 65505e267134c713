/** What holds for files as such: size, names, places, and what must never be committed. */
import { lineOf, type Node, type Source, walk } from './source.ts';

const linesMax = 400;
const linesToReread = 300;

/** Files over 300 lines that were read again and kept, and why. */
export const longFiles: Readonly<Record<string, string>> = {
  'src/group/attempts.ts': 'the life of an attempt is one state machine; each way it ends leads to another in here',
  'src/group/ledger.ts': 'a table: how each type of entry changes the books, beside the books themselves',
  'src/group/group.ts':
    'the loop around the kernel, in the order in which it happens; what it calls has files of its own',
};

export function fileSize(sources: readonly Source[], allowed: Readonly<Record<string, string>> = longFiles): string[] {
  const problems: string[] = [];
  for (const { path, text } of sources) {
    const lines = text.split('\n').length - 1;
    if (lines > linesMax) problems.push(`${path}: ${lines} lines, at most ${linesMax}: split it`);
    else if (lines > linesToReread && allowed[path] === undefined) {
      problems.push(`${path}: ${lines} lines: read it again, then split it or give a reason in longFiles`);
    }
    if (lines <= linesToReread && allowed[path] !== undefined) problems.push(`${path}: no longer long: off the list`);
  }
  for (const path of Object.keys(allowed)) {
    if (!sources.some((source) => source.path === path)) problems.push(`${path}: on the list of long files, but gone`);
  }
  return problems;
}

const kebabCase = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
const emptyWords = /(^|[-.])(utils?|helpers?|managers?|impl|misc|common)([-.]|$)/;

/** Folders of data whose names come from elsewhere (run ids, segments). */
const dataFolders = /(^|\/)(corpus|fixtures)\//;

export function fileNames(paths: readonly string[]): string[] {
  const problems: string[] = [];
  for (const path of paths.filter((p) => /^(src|machines|test)\//.test(p) && !dataFolders.test(p))) {
    for (const part of path.split('/')) {
      if (!kebabCase.test(part)) problems.push(`${path}: \`${part}\` is not kebab-case`);
      if (emptyWords.test(part)) problems.push(`${path}: \`${part}\` says nothing; name the idea in it`);
    }
  }
  return problems;
}

const topLevel = new Set([
  '.ci',
  '.editorconfig',
  '.gitignore',
  '.knip.json',
  '.npmrc',
  '.oxfmtrc.json',
  '.oxlintrc.json',
  'LICENSE',
  'README.md',
  'machines',
  'package-lock.json',
  'package.json',
  'src',
  'test',
  'tsconfig.json',
  'vitest.config.ts',
]);

export function topLevelEntries(paths: readonly string[]): string[] {
  const entries = new Set(paths.map((path) => path.split('/')[0] ?? path));
  return [...entries].flatMap((entry) => (topLevel.has(entry) ? [] : [`${entry}: not one of the top level's entries`]));
}

/** Comments that put work off. */
export function leftovers(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    source.comments
      .filter(({ value }) => /\b(TODO|FIXME|XXX|HACK)\b/.test(value))
      .map(({ start }) => `${source.path}:${lineOf(source, start)}: do it, or say it in an issue`),
  );
}

/** Tests that are switched off, or that switch the others off. */
export function switchedOffTests(sources: readonly Source[]): string[] {
  const problems: string[] = [];
  for (const source of sources) {
    walk(source.program, (node) => {
      if (node.type !== 'MemberExpression') return;
      const name = String((node['property'] as Node)['name']);
      if (!['only', 'skip', 'todo', 'fails'].includes(name) || !testWords.has(rootName(node))) return;
      problems.push(`${source.path}:${lineOf(source, node.start)}: \`.${name}\``);
    });
  }
  return problems;
}

const testWords = new Set(['describe', 'it', 'suite', 'test']);

function rootName(node: Node): string {
  if (node.type === 'MemberExpression') return rootName(node['object'] as Node);
  return node.type === 'CallExpression' ? rootName(node['callee'] as Node) : String(node['name']);
}

const neverCommitted: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w.~])\/(home|Users|root|work)\/\w/, 'an absolute path of one machine'],
  [/\b[A-Z]:\\Users\\/, 'an absolute path of one machine'],
  [/\bregistry\.[a-z]/, 'a registry host'],
  [/https?:\/\/[^\s"'/]*(artifactory|nexus|verdaccio|npm-proxy)/i, 'a registry host'],
  [/^\s*"resolved":/m, 'where a package was fetched from'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY/, 'a private key'],
  [/\b(ghp_|gho_|github_pat_|npm_)[A-Za-z0-9_]{30,}/, 'a token'],
  [/\bsk-[A-Za-z0-9-]{20,}/, 'a token'],
  [/\bAKIA[0-9A-Z]{16}\b/, 'a token'],
  [/_auth(Token)?\s*=/, 'a credential'],
];

export function unfitToCommit(path: string, text: string): string[] {
  return neverCommitted.flatMap(([pattern, what]) => {
    const at = text.search(pattern);
    return at < 0 ? [] : [`${path}:${text.slice(0, at).split('\n').length}: ${what}`];
  });
}
