/** `check`: explores a model and judges what has to hold. */
import { systemClock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import { drained } from '../process/drained.ts';
import { asked, isModel, type Model, type Opened, type Step } from './checkable.ts';
import { pathTo, type PathStep } from './engine/edges.ts';
import { depthOf, Exploration, type Ending, type Strategy } from './engine/explore.ts';
import { judgePaths } from './judge-paths.ts';
import { refuseNames, refuseOthers } from './refuse.ts';
import type { CheckResult, Trace, Violation } from './result.ts';

/** How far a check has come. */
export interface Progress {
  readonly distinct: number;
  readonly generated: number;
  /** States whose transitions were looked at. */
  readonly expanded: number;
  readonly ms: number;
}

/** How to check. */
export interface CheckOptions {
  /** Default `breadth-first`: exhaustive, and every trace is a shortest one. */
  readonly strategy?: Strategy;
  /** Give up, honestly, when there are more states than this. Default 20,000,000. */
  readonly maxStates?: number;
  /** Give up, honestly, after this time. Default no limit. */
  readonly maxSeconds?: number;
  /** `first` (default): stop at the first violation. `never`: go on, and tell one violation of each property. */
  readonly stopAt?: 'first' | 'never';
  /** Told about five times a second, and at the end. */
  readonly onProgress?: (progress: Progress) => void;
}

/** States looked at between two glances at the clock: as many as take no longer than `glanceMs`. */
const batchMax = 256;
const glanceMs = 20;
const progressMs = 200;

/**
 * Explores every state that a model can come to, within its bounds, and judges its properties. What it says is `verified` only when
 * there was nothing more to look at. Codes: BAD_INPUT.
 */
export async function check<State>(model: Model<State>, options: CheckOptions = {}): Promise<CheckResult> {
  const { strategy = 'breadth-first', maxStates = 20_000_000, maxSeconds = Infinity, stopAt = 'first' } = options;
  refuse(model, options);
  const opened = model.open();
  const judge = new Judge(model, opened, stopAt === 'first');
  const isExhaustive = typeof strategy === 'string';
  const explored = new Exploration(
    opened.space,
    { strategy, statesMax: maxStates, keepsEdges: isExhaustive && asksForPaths(model) },
    judge,
  );
  judge.explored = explored;

  const startedAt = systemClock.now();
  let toldAt = startedAt;
  let ending: Ending | 'seconds' | undefined;
  const tell = (now: number) => {
    options.onProgress?.({
      distinct: explored.states.count,
      generated: explored.generated,
      expanded: explored.expandedCount,
      ms: now - startedAt,
    });
  };
  let batch = 1;
  for (let glancedAt = startedAt; ending === undefined;) {
    ending = explored.run(batch);
    const now = systemClock.now();
    batch = now - glancedAt > glanceMs ? Math.max(1, batch >> 1) : Math.min(batchMax, batch * 2);
    glancedAt = now;
    if (ending === undefined && now - startedAt > maxSeconds * 1_000) ending = 'seconds';
    if (now - toldAt < progressMs) continue;
    toldAt = now;
    tell(now);
    await drained();
  }
  tell(systemClock.now());
  const complete = ending === 'all' && !judge.hasBrokenOff;
  if (complete && explored.states.count === 0)
    throw new TroupeError(
      'BAD_INPUT',
      `check: expected model \`${model.name}\` to begin within its \`boundary\`; there is no state to look at`,
    );
  if (complete && judge.mayGoOn())
    judge.violations.push(...judgePaths({ model, opened, explored, trace: (path) => judge.trace(path), stopAt }));
  if (complete && judge.mayGoOn()) judge.unmet();
  const ms = Math.max(1, systemClock.now() - startedAt);
  return result({ model, opened, explored, judge, ending, complete, strategy, ms });
}

const optionNames: readonly string[] = [
  'strategy',
  'maxStates',
  'maxSeconds',
  'stopAt',
  'onProgress',
] satisfies readonly (keyof CheckOptions)[];

function refuse<State>(model: Model<State>, options: CheckOptions): void {
  const { strategy = 'breadth-first', maxStates = Infinity, maxSeconds = Infinity, stopAt } = options;
  if (!isModel(model))
    throw new TroupeError('BAD_INPUT', 'check: expected what `protocol` or `model` returns, or its default export');
  refuseNames('check', options, optionNames);
  if (typeof strategy !== 'object' || !('random' in strategy))
    refuseOthers('check: strategy', strategy, ['breadth-first', 'depth-first']);
  refuseOthers('check: stopAt', stopAt, ['first', 'never']);
  if (!(maxSeconds >= 0))
    throw new TroupeError('BAD_INPUT', `check: expected maxSeconds to be >= 0, got ${maxSeconds}`);
  if (!(maxStates >= 1)) throw new TroupeError('BAD_INPUT', `check: expected maxStates to be >= 1, got ${maxStates}`);
  if (model.isSymmetryUsed && Object.keys(model.properties.eventually ?? {}).length > 0)
    throw new TroupeError(
      'BAD_INPUT',
      `check: model \`${model.name}\` has \`symmetry\` and \`eventually\`: a way to an orbit is not a way to a state. Leave one out.`,
    );
  if (typeof strategy === 'object') {
    const { seed, walks, steps } = strategy.random;
    if (![seed, walks, steps].every(Number.isInteger) || walks < 1 || steps < 1)
      throw new TroupeError(
        'BAD_INPUT',
        `check: expected strategy.random to be {seed, walks >= 1, steps >= 1} in whole numbers, got ${JSON.stringify(strategy.random)}`,
      );
  }
}

function asksForPaths<State>({ properties, checks }: Model<State>): boolean {
  const has = (some: object | undefined) => some !== undefined && Object.keys(some).length > 0;
  return (
    has(properties.eventually) || has(properties.canAlways) || checks.canAlwaysEnd || checks.canAlwaysEndWithoutTimers
  );
}

/** Judges states as they come. */
class Judge<State> {
  readonly violations: Violation[] = [];
  /** A state could not be expanded. */
  hasBrokenOff = false;
  explored: Exploration | undefined;
  private readonly model: Model<State>;
  private readonly opened: Opened<State>;
  private readonly stopsAtFirst: boolean;
  private readonly failed = new Set<string>();
  private readonly met = new Set<string>();
  private readonly always: readonly (readonly [string, (state: State) => boolean])[];
  private readonly sometimes: readonly (readonly [string, (state: State) => boolean])[];

  constructor(model: Model<State>, opened: Opened<State>, stopsAtFirst: boolean) {
    this.model = model;
    this.opened = opened;
    this.stopsAtFirst = stopsAtFirst;
    this.always = Object.entries(model.properties.always ?? {});
    this.sometimes = Object.entries(model.properties.sometimes ?? {});
  }

  mayGoOn(): boolean {
    return this.violations.length === 0 || !this.stopsAtFirst;
  }

  state(number: number): boolean {
    const { opened, failed, met } = this;
    for (const { name, holds } of opened.invariants)
      if (!failed.has(name) && !holds()) this.add(name, 'always', `\`${name}\` does not hold`, number);
    for (const [name, holds] of this.always)
      if (!failed.has(name) && !asked(name, holds, opened.state, opened.variants))
        this.add(name, 'always', `\`${name}\` does not hold`, number);
    if (met.size < this.sometimes.length) {
      for (const [name, holds] of this.sometimes)
        if (!met.has(name) && asked(name, holds, opened.state, opened.variants)) met.add(name);
    }
    return this.mayGoOn();
  }

  expanded(number: number, isStuck: boolean): boolean {
    if (!isStuck || !this.model.checks.noDeadlock || this.failed.has('noDeadlock')) return true;
    this.load(number);
    if (this.opened.space.isEnd()) return true;
    this.add('noDeadlock', 'deadlock', 'nothing can happen any more, and it has not ended', number);
    return this.mayGoOn();
  }

  finding(
    number: number,
    { property, message, action }: Error & { property: string; action: number | undefined },
  ): boolean {
    this.hasBrokenOff = true;
    if (this.failed.has(property)) return true;
    this.failed.add(property);
    const trace = this.trace(this.pathTo(number));
    const step = action === undefined ? [] : [this.opened.describe(action)];
    this.violations.push({ property, kind: 'finding', message, trace: { steps: [...trace.steps, ...step] } });
    return this.mayGoOn();
  }

  /** What was never met, after everything was looked at. */
  unmet(): void {
    for (const [name] of this.sometimes) {
      if (this.met.has(name)) continue;
      const message = `\`${name}\` is never met: what else holds may hold of nothing`;
      this.violations.push({ property: name, kind: 'sometimes', message, trace: undefined });
    }
  }

  trace(path: readonly PathStep[]): Trace {
    const steps: Step[] = path.map(({ action }) => this.opened.describe(action));
    return { steps };
  }

  private add(property: string, kind: Violation['kind'], message: string, number: number): void {
    this.failed.add(property);
    const trace = this.trace(this.pathTo(number));
    this.violations.push({ property, kind, message: `${message} after ${trace.steps.length - 1} steps`, trace });
  }

  private load(number: number): void {
    this.explored?.states.read(number, this.opened.space.current);
  }

  private pathTo(number: number): readonly PathStep[] {
    return this.explored === undefined ? [] : pathTo(this.explored.states, number);
  }
}

interface Outcome<State> {
  readonly model: Model<State>;
  readonly opened: Opened<State>;
  readonly explored: Exploration;
  readonly judge: Judge<State>;
  readonly ending: Ending | 'seconds';
  readonly complete: boolean;
  readonly strategy: Strategy;
  readonly ms: number;
}

function result<State>({
  model,
  opened,
  explored,
  judge,
  ending,
  complete,
  strategy,
  ms,
}: Outcome<State>): CheckResult {
  const { states, edges, generated } = explored;
  const { violations } = judge;
  const bytes = states.bytes() + (edges?.bytes() ?? 0) + opened.bytes();
  return {
    model: model.name,
    verdict: violations.length > 0 ? 'violated' : complete ? 'verified' : 'incomplete',
    complete,
    cutBy: complete
      ? undefined
      : ending === 'seconds'
        ? 'maxSeconds'
        : ending === 'states'
          ? 'maxStates'
          : ending === 'walked'
            ? 'sampling'
            : 'violation',
    distinct: states.count,
    generated,
    depth: depthOf(states),
    bounds: model.bounds,
    viewUsed: model.isViewUsed,
    symmetryUsed: model.isSymmetryUsed,
    violations,
    unjudged: complete ? [] : unjudged(model),
    stats: {
      exact: complete,
      strategy: typeof strategy === 'string' ? strategy : `random, seed ${strategy.random.seed}`,
      width: opened.space.width,
      bytesPerState: Math.round((bytes / Math.max(1, states.count)) * 10) / 10,
      edgesKept: edges !== undefined,
      ms,
      statesPerSecond: Math.round((states.count / ms) * 1_000),
      coverage: opened.coverage(),
      figures: opened.figures(),
    },
  };
}

/** What only a whole graph can answer. */
function unjudged<State>({ properties, checks }: Model<State>): readonly string[] {
  const names = (some: object | undefined, kind: string) => Object.keys(some ?? {}).map((name) => `${kind} ${name}`);
  return [
    ...names(properties.sometimes, 'sometimes'),
    ...names(properties.eventually, 'eventually'),
    ...names(properties.canAlways, 'canAlways'),
    ...(checks.noDeadlock ? ['noDeadlock'] : []),
    ...(checks.canAlwaysEnd ? ['canAlwaysEnd'] : []),
    ...(checks.canAlwaysEndWithoutTimers ? ['canAlwaysEndWithoutTimers'] : []),
  ];
}
