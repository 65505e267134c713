/** The differential test is only worth what it catches: each mutant below must be told from the kernel. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { bundled } from '../support/bundle.ts';
import { duel, type Kernel } from './duel.ts';
import { amendLive } from './live.ts';
import { tapes } from './tape.ts';

interface Mutant {
  readonly file: string;
  /** Text that is there exactly `times` (default once), and what stands there instead. */
  readonly from: string;
  readonly to: string;
  readonly times?: number;
  /** Of the machines; given where others need hundreds of them. */
  readonly seed?: number;
}

const mutants: Readonly<Record<string, Mutant>> = {
  'mailboxes are read last in, first out': {
    file: 'turn.ts',
    from: 'live.mailbox.shift()',
    to: 'live.mailbox.pop()',
    times: 2,
  },
  'letters to a busy actor are lost': {
    file: 'turn.ts',
    from: '    live.mailbox.push(letter);\n    if (live.open',
    to: '    if (!live.busy) live.mailbox.push(letter);\n    if (live.open',
  },
  'letters to an actor that has not started are lost': {
    file: 'turn.ts',
    from: '    live.mailbox.push(letter);\n    if (live.open',
    to: '    if (live.open) live.mailbox.push(letter);\n    if (live.open',
  },
  'a busy actor is entered again': {
    file: 'turn.ts',
    from: 'if (live.open && !live.busy) this.drain(live, undefined);',
    to: 'if (live.open) this.drain(live, undefined);',
  },
  'a child starts twice': {
    file: 'turn.ts',
    from: `if (live === undefined || live.phase !== 'new') return;`,
    to: `if (live === undefined || live.phase === 'stopped') return;`,
  },
  'initial actions run before children have started': {
    file: 'turn.ts',
    from: `if (live.logic.kind === 'machine') {\n      try {`,
    to: `if (live.place.address === 'never') {\n      try {`,
  },
  'a child is stopped before what was sent to it earlier': {
    file: 'actions.ts',
    from: `else if (child?.phase === 'running') live.deferred.push(action);`,
    to: `else if (child?.phase === 'running') deeds.stopActor(child);`,
    seed: 7,
  },
  'a stop waits behind older letters': {
    file: 'turn.ts',
    from: 'live.mailbox.length = Math.min(live.mailbox.length, live.busy ? 0 : 1);',
    to: '',
    seed: 9,
  },
  'an error is not told to the parent': {
    file: 'turn.ts',
    from: 'this.tellParent(live, failureOf(live, error));',
    to: '',
  },
  'the parent hears of the end before the actor has halted': {
    file: 'turn.ts',
    from: `    if (live.snapshot.status === 'done') {\n      this.halt(live);`,
    to: `    if (live.snapshot.status === 'done') {`,
  },
  'children of a failed actor go on': {
    file: 'turn.ts',
    from: 'if (orphan !== undefined && !outlives(orphan, live)) this.stopActor(orphan);',
    to: 'void orphan;',
    seed: 8,
  },
  'an object in two places is two behind a snapshot': {
    file: 'encode.ts',
    from: `if (number !== undefined) return marked(['same', number]);`,
    to: 'if (number !== undefined) numbers?.delete(value);',
    seed: 7,
  },
  'what a guard is built of is not asked': {
    file: 'fast.ts',
    from: 'if (resolved.check !== undefined) return resolved.check(state, args, resolved);',
    to: 'if (resolved.check !== undefined) return true;',
  },
  'a forbidden transition lets outer states hear': {
    file: 'chart.ts',
    from: 'const exact = node.transitions.get(type) ?? [];',
    to: 'const exact = (node.transitions.get(type) ?? []).filter((one) => one.target !== undefined || one.actions.length > 0);',
    seed: 1,
  },
  'timers of stopped actors stay': { file: 'timetable.ts', from: '    live.timers = noTimers;\n', to: '' },
  'a new timer takes the place of the others': { file: 'schedule.ts', from: '[...freed(timers, id), {', to: '[{' },
  'cancelling an id takes an older timer': {
    file: 'schedule.ts',
    from: 'timers.find((one) => one.id === id && one.cancellable)',
    to: 'timers.find((one) => one.id === id)',
    seed: 1,
  },
  'a timer fires twice': {
    file: 'schedule.ts',
    from: 'freed(without(timers, timer), timer.id)',
    to: 'freed(timers, timer.id)',
  },
  'every incarnation is the first': {
    file: 'roster.ts',
    from: 'const incarnation = 1 + Math.max(',
    to: 'const incarnation = Math.max(1, ',
  },
  'a settlement of another incarnation is accepted': {
    file: 'step.ts',
    from: 'if (cell.incarnation !== incarnation)',
    to: 'if (cell.incarnation < 0)',
  },
  'the system id of a stopped actor stays taken': {
    file: 'turn.ts',
    from: '    this.roster.unsetSystemId(live.ref);\n    if (live.logic',
    to: '    if (live.logic',
    seed: 8,
  },
  'events that only an eventless transition waits for are ignored': {
    file: 'hearing.ts',
    from: 'node.always !== undefined || ',
    to: '',
    seed: 5,
  },
  'states are left from the outside in': {
    file: 'chart.ts',
    from: 'isWithin(node, domain)).sort((a, b) => b.order - a.order)',
    to: 'isWithin(node, domain)).sort((a, b) => a.order - b.order)',
    seed: 6,
  },
  'raised events come before eventless transitions': {
    file: 'fast.ts',
    from: 'tryEventless ? selectEventless',
    to: 'tryEventless && queue.length === 0 ? selectEventless',
  },
  'an outer state is asked before an inner one': {
    file: 'chart.ts',
    from: 'configuration.line.flatMap((node) => candidatesOf',
    to: 'configuration.line.toReversed().flatMap((node) => candidatesOf',
  },
  'leaving a state does not stop what it invoked': {
    file: 'chart.ts',
    from: '[...node.exit, ...node.invoke.map(({ id }) => stopChild(id) as unknown as Builtin)]',
    to: '[...node.exit]',
  },
  'a compound state is never done': {
    file: 'fast.ts',
    from: `if (parent?.type === 'compound')`,
    to: `if (parent?.type === 'none')`,
    seed: 9,
  },
  'what an entry action sends to an invoked actor is lost': {
    file: 'resolve-actions.ts',
    from: 'for (const { builtin, params } of asked.retries) builtin.retryResolve?.(scope, resolved, params);',
    to: ';',
  },
  'a step changes the system it came from': {
    file: 'vector.ts',
    from: 'const copy = node.slice();',
    to: 'const copy = node as unknown[];',
  },
  'timers are not written down': {
    file: 'persist.ts',
    from: 'timers: timers.map(({ to, event, ...timer }) => ({\n      ...timer,\n      to: to === undefined',
    to: 'timers: [].map(({ to, event, ...timer }: any) => ({\n      ...timer,\n      to: to === undefined',
  },
  'the order of parallel states is not written down': {
    file: 'persist.ts',
    from: 'nodes: _nodes.map(({ id }) => id),',
    to: 'nodes: _nodes.map(({ id }) => id).reverse(),',
  },
};

const root = join(import.meta.dirname, '../..');
let folder = '';
let restore = () => {};

beforeAll(() => {
  // Inside the project, so that XState is found.
  mkdirSync(join(root, '.troupe'), { recursive: true });
  folder = mkdtempSync(join(root, '.troupe/mutants-'));
  restore = amendLive();
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterAll(() => {
  restore();
  rmSync(folder, { recursive: true, force: true });
});

/** The kernel of the four modules with `mutant` put in, as one file beside no other kernel. */
async function load(name: string, mutant: Mutant | undefined): Promise<Kernel> {
  const outfile = join(folder, `${name.replaceAll(/[^a-z]+/g, '-')}.mjs`);
  await build({
    ...bundled,
    stdin: {
      contents: ['step', 'member', 'persist', 'system'].map((part) => `export * from './${part}.ts';`).join('\n'),
      resolveDir: join(root, 'src/group'),
    },
    outfile,
    plugins: mutant === undefined ? [] : [putIn(mutant)],
  });
  return (await import(outfile)) as Kernel;
}

const putIn = ({ file, from, to, times = 1 }: Mutant): Plugin => ({
  name: 'mutant',
  setup({ onLoad, onEnd }) {
    const path = join(root, 'src/group', file);
    let places: number | undefined;
    onLoad({ filter: /\.ts$/ }, ({ path: loaded }) => {
      if (loaded !== path) return undefined;
      const text = readFileSync(path, 'utf8');
      places = text.split(from).length - 1;
      return { contents: text.replaceAll(from, () => to), loader: 'ts' };
    });
    onEnd(() => {
      expect(places, `places to mutate in ${file}`).toBe(times);
    });
  },
});

/** How many machines it takes until the kernel differs from live XState; undefined when `most` are not enough. */
function machinesUntilCaught(kernel: Kernel, most: number, seed = 20_250_101): number | undefined {
  let count = 0;
  const { failed } = fc.check(
    fc.property(...tapes, (machine, inputs) => {
      count += 1;
      duel(kernel, machine, inputs);
    }),
    { seed, numRuns: most, endOnFailure: true },
  );
  return failed ? count : undefined;
}

test('the kernel itself, loaded the same way, is not caught', { timeout: 120_000 }, async () => {
  expect(machinesUntilCaught(await load('none', undefined), 60)).toBeUndefined();
});

for (const [name, mutant] of Object.entries(mutants)) {
  test(`caught: ${name}`, { timeout: 120_000 }, async () => {
    expect(machinesUntilCaught(await load(name, mutant), 3_000, mutant.seed)).toBeLessThanOrEqual(3_000);
  });
}
