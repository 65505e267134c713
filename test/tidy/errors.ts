/** Every error code is explained in the README, in the words of its remedy, and is thrown somewhere. */
import { type Node, type Source, walk } from './source.ts';

/** Expects a table row per code: the code in one cell, its remedy, word for word, in another. */
export function explainedCodes(remedies: Readonly<Record<string, string>>, readme: string): string[] {
  const rows = readme.split('\n').flatMap((line) => (line.trimStart().startsWith('|') ? [cellsOf(line)] : []));
  const problems: string[] = [];
  for (const [code, remedy] of Object.entries(remedies)) {
    const row = rows.find((cells) => cells.some((cell) => cell.replaceAll('`', '') === code));
    if (row === undefined) problems.push(`README.md: no table row for ${code} (${remedy})`);
    else if (!row.includes(remedy)) problems.push(`README.md: the row of ${code} does not say its remedy: ${remedy}`);
  }
  return problems;
}

function cellsOf(line: string): string[] {
  return line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** A code counts as thrown where it is given to something as a value; asking for it does not count. */
export function thrownCodes(remedies: Readonly<Record<string, string>>, sources: readonly Source[]): string[] {
  const given = new Set<string>();
  for (const source of sources.filter(({ path }) => path !== 'src/error.ts')) {
    walk(source.program, (node, ancestors) => {
      if (node.type !== 'Literal' || typeof node['value'] !== 'string') return;
      if (!ancestors.some((ancestor) => isQuestion(ancestor, node))) given.add(node['value']);
    });
  }
  return Object.keys(remedies).flatMap((code) => (given.has(code) ? [] : [`src/error.ts: nothing throws ${code}`]));
}

function isQuestion(node: Node, literal: Node): boolean {
  if (node.type === 'CallExpression') return (node['callee'] as Node)['name'] === 'isTroupeError';
  if (node.type === 'BinaryExpression') return node['left'] === literal || node['right'] === literal;
  return node.type.startsWith('TS') && /Type|Interface/.test(node.type)
    ? true
    : node.type === 'SwitchCase' && node['test'] === literal;
}
