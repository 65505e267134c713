/**
 * Records real runs of the library's machines, hosts that die included: what `test/check/journals/*.jsonl` were made by, once, and are
 * kept. To add new ones beside the old: `TROUPE_RECORD=<suffix> npx vitest run test/check/verify-journals.test.ts`.
 */
import { readFile } from 'node:fs/promises';
import { defineProcess, openRun, type Coordinator } from 'troupe';
import { faultyFileSystem, fileStore, nodeFileSystem, type Processes } from 'troupe/journal';
import { fail, hold, later, ok, scripted, type Script } from 'troupe/harness';
import { election, escalation, fanOut, pipeline, quorum, race, saga, withMachines } from 'troupe/machines';

const bad = fail('failed', { name: 'Error', message: 'bad' });
const members = (...ids: readonly string[]) => ids.map((id) => ({ id }));

interface Recording {
  readonly coordinator: Coordinator;
  readonly input: unknown;
  readonly script: Script;
  /** The first host dies while this one is under way. */
  readonly diesIn?: string;
  /** Gate that is approved. */
  readonly approves?: string;
}

/** Ends in about a minute, so that it is stopped before. */
const slow = later(60_000, ok('slow'));

/** What is recorded, by name. */
export const recordings: Readonly<Record<string, Recording>> = {
  'election': {
    coordinator: election as Coordinator,
    input: { members: members('a', 'b', 'c'), leaseMs: 60_000 },
    script: { a: bad, b: ok('led') },
    diesIn: 'b',
  },
  'escalation': {
    coordinator: escalation as Coordinator,
    input: { levels: [{ id: 'a', withinMs: 20 }, { id: 'b' }, { id: 'g', gate: { question: 'Ship it?' } }] },
    script: { a: slow, b: bad },
    approves: 'g',
  },
  'fan-out': {
    coordinator: fanOut as Coordinator,
    input: { members: members('a', 'b', 'c', 'd'), concurrency: 2, checkpointEvery: 2 },
    script: { a: ok(1), b: bad, c: ok({ found: ['x'] }), d: [fail('overloaded', 'busy'), ok(4)] },
    diesIn: 'c',
  },
  // The first that was kept is of a host that told the group's own machine of the answer, and nobody else.
  'nested': {
    coordinator: withMachines(pipeline, { escalation }) as Coordinator,
    input: {
      steps: [
        {
          id: 'fix',
          machine: 'escalation',
          input: { levels: [{ id: 'g', gate: { question: '?' }, withinMs: 1_000 }] },
        },
        { id: 'c' },
      ],
    },
    script: { '*': ok('fine') },
    approves: 'fix/g',
  },
  'pipeline': {
    coordinator: pipeline as Coordinator,
    input: { steps: [{ id: 's', members: members('a', 'b'), policy: 'best-effort' }, { id: 'c' }] },
    script: { '*': ok('fine'), 's/b': bad },
    diesIn: 'c',
  },
  'quorum': {
    coordinator: quorum as Coordinator,
    input: { members: members('a', 'b', 'c', 'd'), atLeast: 2 },
    script: { a: ok('x'), b: ok('y'), c: ok('x'), d: slow },
    diesIn: 'c',
  },
  'race': {
    coordinator: race as Coordinator,
    input: { members: members('a', 'b', 'c'), timeoutMs: 60_000 },
    script: { a: bad, b: later(20, ok('first')), c: slow },
  },
  'saga': {
    coordinator: saga as Coordinator,
    input: {
      steps: members('a', 'b', 'c').map((one) => ({ ...one, compensate: {} })),
      compensationAttempts: 2,
      compensationDelayMs: 5,
    },
    script: { 'a': ok(1), 'b': ok(2), 'c': bad, 'b/undo': bad, 'a/undo': ok('undone') },
    diesIn: 'b/undo',
  },
};

/** Process number `pid` of a machine on which all others are dead. */
function only(pid: number): Processes {
  const self = { host: 'here', pid, bootId: 'boot', pidNamespace: 'one', startedAt: `${pid}` };
  return { self: () => self, liveness: (other) => (other.pid === pid ? 'alive' : 'dead') };
}

/** Runs it; the run's folder is `<dir>/runs/<name>`. Resolves to the text of its journal. */
export async function record(name: string, dir: string): Promise<string> {
  const { coordinator, input, script, diesIn, approves } = recordings[name] as Recording;
  const process = defineProcess('recorded', (ctx) => ctx.group(name, coordinator, input).output);
  const host = async (pid: number, does: Script) => {
    const harness = scripted(does);
    const fs = faultyFileSystem(nodeFileSystem);
    const store = fileStore({ dir, fs, processes: only(pid) });
    const run = await openRun({
      store,
      process,
      run: name,
      harnesses: { scripted: harness },
      defaultHarness: 'scripted',
    });
    return { fs, harness, run };
  };
  let first: Awaited<ReturnType<typeof host>> | undefined;
  if (diesIn !== undefined) {
    first = await host(1, { ...script, [diesIn]: hold });
    void first.run.drive().catch(() => undefined);
    await first.harness.asked({ member: diesIn, count: 1 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    // What it has written by now is all that it ever writes.
    first.fs.inject({ type: 'crash', call: 1, when: 'before' });
  }
  const { run } = await host(2, script);
  const driving = run.drive();
  if (approves !== undefined) await approve(run, name, approves);
  await driving;
  await run.close();
  await first?.run.stop('killed').catch(() => undefined);
  await first?.run.close().catch(() => undefined);
  return readFile(`${dir}/runs/${name}/journal.jsonl`, 'utf8');
}

async function approve(run: Awaited<ReturnType<typeof openRun>>, group: string, gate: string): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
    const isDone = await run.answer({ group, gate, approved: true, note: '' }).then(
      () => true,
      () => false,
    );
    if (isDone) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`gate ${gate} was never opened`);
}
