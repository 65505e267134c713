/** The viewer says of members, gates and spending what the host's own ledger says, after every entry of runs in which everything goes wrong. */
import { expect, test } from 'vitest';
import { defineProcess, type Entry, type Process } from 'troupe';
import { fail, ok, simulate } from 'troupe/check';
import { supervisor } from 'troupe/machines';
import { emptyLedger, foldLedger, messageCount, type Ledger } from '../../src/group/ledger.ts';
import { batchOf } from '../../src/view/batch.ts';
import type { GroupState, ViewState } from '../../src/view/model.ts';
import { emptyView } from '../../src/view/reduce.ts';
import { scenes } from '../check/simulation/scenes.ts';

/** Both in the same words. */
const ofLedger = (ledger: Ledger) => ({
  status: ledger.status,
  machine: ledger.machine.id,
  version: ledger.machine.version,
  spend: ledger.spend,
  deadLetters: ledger.deadLetters,
  messages: messageCount(ledger),
  goingOn: [...ledger.goingOn].sort(),
  checkpoints: ledger.checkpoints.map(({ name, settled, total }) => [name, settled, total]),
  gates: Object.fromEntries([...ledger.gates.values()].map(({ name, answer }) => [name, answer?.approved ?? null])),
  members: [...ledger.members.values()].map((one) => ({
    id: one.id,
    incarnation: one.incarnation,
    status: one.status,
    harness: one.harness,
    attempt: one.attempt,
    startedAt: one.startedAt ?? null,
    endedAt: one.endedAt ?? null,
    retryAt: one.retryAt ?? null,
    line: one.line ?? '',
    spend: one.spend,
    session: one.sessions?.at(-1)?.id ?? '',
  })),
});
const ofView = (group: GroupState): ReturnType<typeof ofLedger> => ({
  status: group.status as Ledger['status'],
  machine: group.machine,
  version: group.version,
  spend: group.spend,
  deadLetters: group.deadLetters.length,
  messages: group.messages,
  goingOn: [...group.goingOn].sort(),
  checkpoints: group.checkpoints.map(({ name, settled, total }) => [name, settled, total]),
  gates: Object.fromEntries(Object.values(group.gates).map(({ name, answer }) => [name, answer?.approved ?? null])),
  members: Object.values(group.members).map((one) => ({
    id: one.id,
    incarnation: one.incarnation,
    status: one.status as Ledger['members'] extends Map<string, infer Record extends { status: unknown }>
      ? Record['status']
      : never,
    harness: one.harness,
    attempt: one.attempt,
    startedAt: one.startedMs,
    endedAt: one.endedMs,
    retryAt: one.retryMs,
    line: one.line,
    spend: one.spend,
    session: one.session,
  })),
});

/** Folds both side by side; counts what was there to compare. */
function compare(entries: readonly Entry[], label: string): ReadonlySet<string> {
  const ledgers = new Map<string, Ledger>();
  let view: ViewState = emptyView('run');
  const reached = new Set<string>();
  entries.forEach((entry, index) => {
    const batch = batchOf(view);
    batch.reduce(index + 1, entry);
    view = batch.end();
    if (!entry.stream.startsWith('group:')) return;
    const name = entry.stream.slice('group:'.length);
    const ledger = ledgers.get(name) ?? emptyLedger(name);
    ledgers.set(name, ledger);
    foldLedger(ledger, entry);
    reached.add(entry.type);
    expect(ofView(view.groups[name] as GroupState), `${label}, entry ${index + 1} ${entry.type}`).toEqual(
      ofLedger(ledger),
    );
  });
  return reached;
}

test('in simulated worlds: the library, members that tell what they spend and ask, and what goes on after its group', async () => {
  const reached = new Set<string>();
  const names = Object.keys(scenes);
  for (let index = 0; index < 44; index += 1) {
    const name = names[index % names.length] as string;
    const { entries } = await simulate({
      seed: `ledger-${index}`,
      ...(scenes[name] as (typeof scenes)[string]).options,
    });
    for (const type of compare(entries, `${name} ledger-${index}`)) reached.add(type);
  }
  const busy = defineProcess('busy', async (ctx) => {
    const children = ['a', 'b', 'c'].map((id) => ({ id, retry: { attempts: 3, minMs: 10 } }));
    ctx.background('on its own', { harness: 'simulated' });
    return await ctx.group('group', supervisor, { children, strategy: 'one-for-all' }).output.catch(String);
  }) as Process<never, unknown>;
  for (let index = 0; index < 24; index += 1) {
    const seed = `busy-${index}`;
    const { entries } = await simulate({
      seed,
      process: busy,
      faults: { kills: 4, slowMs: 2_000 },
      options: { progressEveryMs: 0 },
      async play(attempt, random) {
        await attempt.session?.(`session-${random.below(3)}`);
        for (let told = 1; told <= 3; told += 1)
          attempt.progress({ line: `step ${told}`, usage: { tokens: told * random.below(100) } });
        if (random.below(4) === 0)
          await attempt.mailbox.checkpoint({ name: `mark ${attempt.key}`, settled: 0, total: 1 });
        if (random.below(3) === 0)
          void attempt.gate({ name: `may ${attempt.member}`, question: 'May it?' }).catch(() => {});
      },
      outcome: (_attempt, random) => {
        const usage = { tokens: random.below(500), costUsd: random.below(10) / 8 };
        const outcome = random.below(3) > 0 ? ok(1) : fail('crashed', 'by chance');
        return outcome.status === 'cancelled' ? outcome : { ...outcome, usage };
      },
    });
    for (const type of compare(entries, seed)) reached.add(type);
  }
  expect([...reached].sort()).toEqual(
    expect.arrayContaining([
      'attempt.cancelled',
      'attempt.failed',
      'attempt.session',
      'gate.opened',
      'group.ended',
      'member.progress',
      'member.settled',
    ]),
  );
});

const at = (seq: number, type: string, data: unknown): Entry => ({
  v: 1,
  stream: 'group:g',
  seq,
  at: seq * 10,
  type,
  data: data as never,
  epoch: 1,
});
const attempted = (member: string, incarnation = 1, attempt = 1) => ({ member, incarnation, attempt });

test('what comes late of an earlier incarnation, what goes on after the end, and what is called off', () => {
  const created = { name: 'g', machine: { id: 'm', version: '1' }, input: null, concurrency: 1, bounds: {} };
  const usage = { tokens: 7, costUsd: 0.5 };
  const error = { name: 'E', message: 'no' };
  const types: readonly (readonly [string, unknown])[] = [
    ['group.created', created],
    ['attempt.started', { ...attempted('a'), harness: 'h' }],
    ['attempt.started', { ...attempted('a', 2), harness: 'h' }],
    ['attempt.cancelled', { ...attempted('a', 1), reason: 'stopped', usage }],
    ['gate.opened', { name: 'may a', question: '?', by: 'a', incarnation: 2 }],
    ['gate.opened', { name: 'may all', question: '?', by: '' }],
    ['gate.answered', { name: 'may all', approved: true }],
    ['gate.opened', { name: 'n/g', question: '?', effect: '7:0', by: 'n', incarnation: 2 }],
    ['gate.withdrawn', { name: 'n/g', by: 'n', incarnation: 1 }],
    ['gate.withdrawn', { name: 'n/g', by: 'n', incarnation: 2 }],
    ['gate.withdrawn', { name: 'may all', by: '', incarnation: 1 }],
    ['member.progress', { ...attempted('a', 2), progress: { usage: { tokens: 5 } } }],
    ['attempt.failed', { ...attempted('a', 2), error, class: 'failed', retryAt: 900, usage }],
    ['attempt.started', { ...attempted('b'), harness: 'h' }],
    ['attempt.queued', { ...attempted('c'), harness: 'h' }],
    [
      'group.ended',
      {
        status: 'completed',
        output: 1,
        goingOn: [
          { address: 'b', incarnation: 1 },
          { address: 'c', incarnation: 1 },
          { address: 'a', incarnation: 2 },
        ],
      },
    ],
    ['group.cancelled', { reason: 'enough' }],
    ['attempt.cancelled', { ...attempted('b'), reason: 'enough' }],
    ['member.settled', { ...attempted('a', 2, 2), outcome: { status: 'ok', output: 1, usage } }],
    [
      'group.migrated',
      {
        from: { id: 'm', version: '1' },
        to: { id: 'm', version: '2' },
        how: 'state',
        input: null,
        system: null,
        mail: [],
        asks: [],
      },
    ],
  ];
  const reached = compare(
    types.map(([type, data], index) => at(index + 1, type, data)),
    'by hand',
  );
  expect(reached.size).toBe(new Set(types.map(([type]) => type)).size);
});
