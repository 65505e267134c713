/** Time, chance and the machine: only the clock, the adapters and the program may touch them. */
import { lineOf, type Node, type Source, walk } from './source.ts';

/** Who may, and why. A name that ends in `/` is a folder. An entry that is not needed is a problem too. */
export const impureFiles: Readonly<Record<string, string>> = {
  'machines/examples/review-council.process.ts': 'its reviewers, function harnesses, read the files under review',
  'src/babysitter/declared.ts': 'what a pass declares, heard across copies of this library in one OS process',
  'src/babysitter/run/': "the adapter of babysitter's run directories: their files, their lock, ULIDs",
  'src/check/kernel/double-run.ts':
    'puts another time and other chance in the place of the real ones, to find out who asks for them',
  'src/check/schedule/environment.ts': 'the token that a failed test printed, which the command beside it hands over',
  'src/clock.ts': 'the clock: where time comes from',
  'src/cli/': 'the composition root: arguments, terminal, signals',
  'src/harness/agent/cli/': 'the adapter of agent CLIs: their processes, their files, patience with them',
  'src/harness/agent/perform.ts': 'names the sessions of agents, and resolves the folder they work in',
  'src/harness/agent/private-folder.ts': 'files that an agent must find, readable by nobody else',
  'src/harness/agent/mcp/': 'the group mailbox over MCP: an HTTP server on loopback, tokens and their digests',
  'src/harness/agent/acp/agent-process.ts': 'processes of ACP agents: their streams, and their end',
  'src/harness/agent/acp/gemini.ts': "when Gemini CLI's transcripts were begun, from their files' names",
  'src/harness/worktree/': 'the adapter of git: its processes, the folders of worktrees, hashes for their names',
  'src/harness/program/': 'the command adapter: operating-system processes, their groups, their output files',
  'src/journal/fs.ts': "the file journal's adapter: the file-system calls that it makes, and its deferral",
  'src/journal/gzip.ts': 'gzip of archives from node:zlib, through its streams',
  'src/journal/line.ts': 'CRC-32 from node:zlib: a pure function, many times faster than one in JavaScript',
  'src/journal/names.ts': 'CRC-32 from node:zlib, as in line.ts',
  'src/journal/time.ts': "the journal's own glance at the clock and the event loop, for flushes and leases",
  'src/journal/process-identity.ts': 'the adapter that tells whether the holder of a run still lives',
  'src/process/file-requests.ts': 'letters between processes, as files',
  'src/view/page/': 'runs in a browser, or builds what does: timers, fetch, the file of the page',
  'src/view/stately-door.ts': 'the WebSocket of the inspector protocol',
  'src/view/server.ts': "the viewer's server: node:http on loopback, node:crypto for its token, a timer to look again",
  'src/process/drained.ts': "one turn of node's event loop; decides nothing",
};

const impureGlobals = new Set([
  'Date',
  'crypto',
  'fetch',
  'globalThis',
  'performance',
  'process',
  'setImmediate',
  'setInterval',
  'setTimeout',
]);

/** Uses of the machine that are not on the list, and entries of the list that nothing needs. */
export function purity(sources: readonly Source[], allowed: Readonly<Record<string, string>> = impureFiles): string[] {
  const problems: string[] = [];
  const needed = new Set<string>();
  for (const source of sources) {
    const uses = impurities(source);
    const entry = Object.keys(allowed).find((name) => isCovered(source.path, name));
    if (entry === undefined) problems.push(...uses);
    else if (uses.length > 0) needed.add(entry);
  }
  for (const entry of Object.keys(allowed)) {
    if (!needed.has(entry)) problems.push(`${entry}: on the list of impure files, but nothing there needs it`);
  }
  return problems;
}

function isCovered(path: string, entry: string): boolean {
  return entry.endsWith('/') ? path.startsWith(entry) : path === entry;
}

function impurities(source: Source): string[] {
  const found: string[] = [];
  const report = (node: Node, what: string) => found.push(`${source.path}:${lineOf(source, node.start)}: uses ${what}`);
  const bindings = bindingsOf(source.program);
  for (const specifier of source.imports) {
    if (specifier.startsWith('node:')) found.push(`${source.path}: imports \`${specifier}\``);
  }
  walk(source.program, (node, ancestors) => {
    if (node.type === 'MemberExpression' && isName(node['object'], 'Math') && memberName(node) === 'random') {
      report(node, 'Math.random');
    }
    if (node.type !== 'Identifier' || !isReference(node, ancestors)) return;
    const name = String(node['name']);
    const isOurs = bindings.some((b) => b.name === name && b.scope.start <= node.start && node.end <= b.scope.end);
    if (impureGlobals.has(name) && !isOurs) report(node, name);
  });
  return found;
}

function isName(node: unknown, name: string): boolean {
  return (node as Node).type === 'Identifier' && (node as Node)['name'] === name;
}

function memberName(node: Node): unknown {
  const property = node['property'] as Node;
  return property[node['computed'] === true ? 'value' : 'name'];
}

/** A name that stands for a value: not a key, a member's name, or part of a type. */
function isReference(node: Node, ancestors: readonly Node[]): boolean {
  const parent = ancestors.at(-1);
  if (parent === undefined || ancestors.some(({ type }) => typeOnly.has(type))) return false;
  if (parent.type === 'MemberExpression') return parent['object'] === node || parent['computed'] === true;
  if (/^(Property|MethodDefinition|PropertyDefinition)$/.test(parent.type)) {
    return parent['key'] !== node || parent['computed'] === true;
  }
  return !/^(Import|Export)\w*Specifier$|^LabeledStatement$/.test(parent.type);
}

const typeOnly = new Set([
  'TSFunctionType',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSTypeAnnotation',
  'TSTypeParameterInstantiation',
  'TSTypeQuery',
  'TSTypeReference',
]);

interface Binding {
  readonly name: string;
  readonly scope: Node;
}

/** Names that the source binds itself, each with the node in which it holds. */
function bindingsOf(program: Node): Binding[] {
  const bindings: Binding[] = [];
  const bind = (pattern: unknown, scope: Node | undefined) => {
    if (scope === undefined || pattern === null) return;
    const node = pattern as Node;
    if (node.type === 'Identifier') bindings.push({ name: String(node['name']), scope });
    else if (node.type === 'AssignmentPattern') bind(node['left'], scope);
    else if (node.type === 'RestElement') bind(node['argument'], scope);
    else if (node.type === 'ArrayPattern') for (const element of node['elements'] as unknown[]) bind(element, scope);
    else if (node.type === 'ObjectPattern') {
      for (const property of node['properties'] as Node[]) bind(property['value'] ?? property, scope);
    }
  };
  walk(program, (node, ancestors) => {
    const scope = ancestors.findLast(({ type }) => scopes.test(type));
    if (node.type === 'VariableDeclarator' || /^(Function|Class)Declaration$/.test(node.type)) bind(node['id'], scope);
    if (/^Import\w*Specifier$/.test(node.type)) bind(node['local'], scope);
    if (node.type === 'CatchClause') bind(node['param'], node);
    if (/Function/.test(node.type) && Array.isArray(node['params'])) {
      for (const param of node['params'] as unknown[]) bind(param, node);
    }
  });
  return bindings;
}

const scopes = /^(Program|BlockStatement|StaticBlock|For\w*Statement|Function\w*|ArrowFunctionExpression|CatchClause)$/;
