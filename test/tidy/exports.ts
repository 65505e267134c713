/** Every exported name has a doc comment where it is declared; names use the words of the glossary. */
import { lineOf, type Node, type Source } from './source.ts';

interface Declared {
  readonly name: string;
  /** The outermost statement of the declaration: the doc comment stands before it. */
  readonly statement: Node;
}

export function documentedExports(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    exportsOf(source)
      .filter(({ statement }, index, all) => {
        const isOverload = all.slice(0, index).some((other) => other.name === all[index]?.name);
        return !isOverload && !hasDoc(source, statement);
      })
      .map(
        ({ name, statement }) => `${source.path}:${lineOf(source, statement.start)}: \`${name}\` has no doc comment`,
      ),
  );
}

const bannedWords = /(Manager|Helper|Impl|Utils?|Misc)$/;

export function exportedWords(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    exportsOf(source)
      .filter(({ name }) => bannedWords.test(name))
      .map(({ name }) => `${source.path}: \`${name}\` says nothing; name what it does`),
  );
}

/** Names exported by this source and declared in it; what is only passed on is declared, and looked at, elsewhere. */
function exportsOf(source: Source): Declared[] {
  const body = source.program['body'] as Node[];
  const locals = new Map<string, Node>();
  for (const statement of body) {
    for (const name of namesOf(statement)) if (!locals.has(name)) locals.set(name, statement);
  }
  const found: Declared[] = [];
  for (const statement of body) {
    if (statement.type === 'ExportDefaultDeclaration') found.push({ name: 'default', statement });
    if (statement.type !== 'ExportNamedDeclaration' || statement['source'] !== null) continue;
    const declaration = statement['declaration'] as Node | null;
    for (const name of declaration === null ? [] : namesOf(declaration)) found.push({ name, statement });
    for (const specifier of statement['specifiers'] as Node[]) {
      const local = String((specifier['local'] as Node)['name']);
      const declaredAt = locals.get(local);
      if (declaredAt !== undefined) found.push({ name: local, statement: declaredAt });
    }
  }
  return found;
}

function namesOf(declaration: Node): string[] {
  if (declaration.type === 'VariableDeclaration') {
    return (declaration['declarations'] as Node[]).flatMap(({ id }) => patternNames(id as Node));
  }
  if (declaration.type.startsWith('Export') || declaration.type.startsWith('Import')) return [];
  const id = declaration['id'] as Node | null | undefined;
  return id === null || id === undefined ? [] : patternNames(id);
}

function patternNames(pattern: Node): string[] {
  if (pattern.type === 'Identifier') return [String(pattern['name'])];
  const parts = (pattern['properties'] ?? pattern['elements'] ?? []) as (Node | null)[];
  return parts.flatMap((part) => (part === null ? [] : patternNames((part['value'] ?? part) as Node)));
}

function hasDoc(source: Source, statement: Node): boolean {
  const comment = source.comments.findLast(({ end }) => end <= statement.start);
  return (
    comment?.type === 'Block' &&
    comment.value.startsWith('*') &&
    source.text.slice(comment.end, statement.start).trim() === ''
  );
}
