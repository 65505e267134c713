/** The check kit: published protocols on XState machines, exact and with traces, beside xstate/graph and the figures to reach. */
import { getAdjacencyMap } from 'xstate/graph';
import { check, type CheckResult, type Model } from '../../src/check/index.ts';
import { effectGroupProtocol } from '../check/models/effect-group.ts';
import { paxos } from '../check/models/paxos.ts';
import { twoPhaseCommit } from '../check/models/two-phase-commit.ts';
import { inTurns, rowOf, type Bench } from './measure/row.ts';
import { flatTwoPhaseCommit } from './work/flat-two-phase-commit.ts';

/** How long the rival is left alone, ms. It needs about five minutes for N=6. */
const rivalMsMax = 400_000;

interface Timed {
  readonly ms: number;
  readonly result: CheckResult;
}

async function timed<State>(model: Model<State>, distinct: number | undefined, maxStates?: number): Promise<Timed> {
  const startedAt = performance.now();
  const result = await check(model, maxStates === undefined ? {} : { maxStates });
  const ms = performance.now() - startedAt;
  if (distinct !== undefined && (result.distinct !== distinct || !result.complete || result.violations.length > 0))
    throw new Error(
      `${model.name}: expected ${distinct} states and no violation, got ${result.distinct} (${result.verdict})`,
    );
  return { ms, result };
}

/** States a second of xstate/graph, which is stopped when its time is up. */
function adjacencyRate(count: number, msMax: number): number {
  const { machine, events } = flatTwoPhaseCommit(count);
  const startedAt = performance.now();
  const map = getAdjacencyMap(machine, {
    events: events as never,
    stopWhen: () => performance.now() - startedAt > msMax,
  });
  return Object.keys(map).length / ((performance.now() - startedAt) / 1_000);
}

/** The bench. */
export const checkBench: Bench = async ({ smoke, row }) => {
  const rounds = smoke ? 1 : 5;
  const [size, sizeStates] = smoke ? [4, 1_568] : [7, 296_448];
  let bytesPerState = 0;
  const speed = await inTurns(rounds, {
    ours: async () => {
      const { ms, result } = await timed(twoPhaseCommit(size), sizeStates);
      ({ bytesPerState } = result.stats);
      return sizeStates / (ms / 1_000);
    },
    figure: () => 300_000,
  });
  const exact =
    'distinct states, exact, breadth first, with the way to each; properties of each judged; every step of a machine taken twice';
  row(
    rowOf(
      {
        name: `check two-phase commit, N=${size}`,
        unit: 'states/s',
        level: 'D0',
        rivalName: 'the figure',
        target: { atLeast: 1 },
        note: exact,
      },
      speed.ours,
      speed.figure,
    ),
  );
  row(
    rowOf(
      {
        name: `memory of a state, two-phase commit, N=${size}`,
        unit: 'bytes',
        level: 'D0',
        rivalName: 'the figure',
        target: { atMost: 1 },
        note: 'vectors, parents, actions and the hash table, as allocated',
      },
      [bytesPerState],
      [64],
    ),
  );

  const [smaller, smallerStates] = smoke ? [3, 288] : [6, 50_816];
  const ours: number[] = [];
  for (let round = 0; round <= (smoke ? 1 : 3); round += 1) {
    const { ms } = await timed(twoPhaseCommit(smaller), smallerStates);
    if (round > 0) ours.push(smallerStates / (ms / 1_000));
  }
  const rival = adjacencyRate(smaller, smoke ? 5_000 : rivalMsMax);
  row(
    rowOf(
      {
        name: `check two-phase commit, N=${smaller}`,
        unit: 'states/s',
        level: 'D0',
        rivalName: 'xstate/graph getAdjacencyMap',
        target: { atLeast: 1_000 },
        note: `the rival explores the same states as one flat machine, for at most ${rivalMsMax / 1_000} s: it slows down as it goes`,
      },
      ours,
      ours.map(() => rival),
    ),
  );

  const limits = [
    { name: 'check Paxos, 3 servers, 2 clients', msMax: 300, run: () => timed(paxos(3, 2), 16_668) },
    {
      name: 'check an effect group of 4, one crash, one duplicate',
      msMax: 1_000,
      run: () => timed(effectGroupProtocol(4), 12_692),
    },
  ];
  for (const { name, msMax, run } of limits) {
    const measured = await inTurns(rounds, { ours: async () => (await run()).ms, figure: () => msMax });
    row(
      rowOf(
        { name, unit: 'ms', level: 'D0', rivalName: 'the figure', target: { atMost: 1 } },
        measured.ours,
        measured.figure,
      ),
    );
  }

  if (smoke) return;
  const { ms, result } = await timed(twoPhaseCommit(9), undefined, 10_000_000);
  const about = {
    level: 'D0',
    note: `two-phase commit, N=9, stopped there; ${result.generated.toLocaleString('en')} transitions`,
  } as const;
  row(rowOf({ ...about, name: 'time to 10 million states', unit: 's' }, [ms / 1_000], []));
  row(
    rowOf(
      { ...about, name: 'memory of 10 million states', unit: 'MB' },
      [(result.stats.bytesPerState * result.distinct) / 1e6],
      [],
    ),
  );
};
