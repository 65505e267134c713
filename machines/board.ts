/**
 * The list behind the task board: tasks with dependencies, which of them are ready, and in which order they are given out.
 * Plain JSON, changed by copying: a change copies one slice of the list and not all, so that 10,000 tasks stay linear.
 */
import { TroupeError, type JsonValue, type PlainError } from 'troupe';
import { badInput, checkMembers, wholeNumber, type MemberInput, type Result } from './member-input.ts';
import { added, type Slices } from './slices.ts';

/** One task: what is to be done, when, and how often it may be tried. */
export type BoardTask = MemberInput & {
  /** Tasks that have to be done before, by id: on the board already, or added together with this one. */
  readonly after?: readonly string[];
  /** Higher first: a whole number from -100 to 100; default 0. Equal ones in the order in which they became ready. */
  readonly priority?: number;
};

/** A task on the board. */
export interface Task {
  readonly work: MemberInput;
  readonly priority: number;
  readonly after: readonly number[];
  /** Who waits for it. */
  readonly dependents: readonly number[];
  /** How many of `after` are not done. */
  readonly open: number;
  /** `blocked`: a task before it has failed, so it never becomes ready. */
  readonly status: 'waiting' | 'ready' | 'claimed' | 'done' | 'failed' | 'blocked';
  /** How often it was claimed. */
  readonly attempts: number;
  /** Who claimed it last. */
  readonly worker: string | null;
  readonly output?: JsonValue;
  readonly error?: PlainError;
}

/** What became of a task. */
export interface TaskEnd {
  readonly id: string;
  /** `blocked`: it was never tried, because a task before it failed. */
  readonly status: 'done' | 'failed' | 'blocked';
  readonly attempts: number;
  /** Who claimed it last; null for a blocked one. */
  readonly worker: string | null;
  readonly output?: JsonValue;
  readonly error?: PlainError;
}

/** Ready tasks of one priority, in the order in which they became ready; some at the head are taken. */
interface Lane {
  readonly priority: number;
  readonly taken: number;
  readonly waiting: Slices<number>;
}

/** All tasks, by the order in which they were added. */
export interface Board {
  readonly tasks: Slices<Task>;
  /** Id and place of each task, in buckets by {@link bucketOf} its id, so that adding one copies a bucket and not all. */
  readonly places: readonly (readonly (readonly [id: string, place: number])[])[];
  readonly total: number;
  /** Done, failed or blocked. */
  readonly over: number;
  /** Highest priority first; none is empty. */
  readonly lanes: readonly Lane[];
}

const sliceLength = 128;
const tasksMax = 10_000;

/** No tasks at all. */
export const emptyBoard: Board = {
  tasks: [],
  places: Array.from({ length: 256 }, () => []),
  total: 0,
  over: 0,
  lanes: [],
};

function bucketOf(id: string): number {
  let number = 0;
  for (let index = 0; index < id.length; index += 1) number = (number * 31 + id.charCodeAt(index)) % 65_536;
  return number % emptyBoard.places.length;
}

/** The task at a place. */
export function taskAt({ tasks }: Board, place: number): Task {
  // Places are made by `withTasks` only.
  return tasks[Math.floor(place / sliceLength)]?.[place % sliceLength] as Task;
}

/** Where the task `id` stands; undefined when there is none. */
export function placeOf({ places }: Pick<Board, 'places'>, id: string): number | undefined {
  return places[bucketOf(id)]?.find(([known]) => known === id)?.[1];
}

function withTask(board: Board, place: number, change: Partial<Task>): Board {
  const index = Math.floor(place / sliceLength);
  const slice = board.tasks[index] as readonly Task[];
  const task = { ...taskAt(board, place), ...change };
  return { ...board, tasks: board.tasks.with(index, slice.with(place % sliceLength, task)) };
}

/** Puts a task into its lane. */
function madeReady(board: Board, place: number): Board {
  const { priority } = taskAt(board, place);
  const { lanes } = board;
  const at = lanes.findIndex((lane) => lane.priority <= priority);
  const lane = lanes[at];
  const changed =
    lane?.priority === priority
      ? lanes.with(at, { ...lane, waiting: added(lane.waiting, place) })
      : lanes.toSpliced(at === -1 ? lanes.length : at, 0, { priority, taken: 0, waiting: [[place]] });
  return withTask({ ...board, lanes: changed }, place, { status: 'ready' });
}

/** The task to be given out next; undefined when none is ready. */
export function nextReady({ lanes }: Board): number | undefined {
  const [lane] = lanes;
  return lane?.waiting[0]?.[lane.taken];
}

/** Gives the next ready task to a worker. */
export function claimed(board: Board, worker: string): Board {
  const [lane, ...others] = board.lanes;
  const place = nextReady(board);
  if (lane === undefined || place === undefined) return board;
  const head = lane.waiting[0] as readonly number[];
  const isDrained = lane.taken + 1 === head.length;
  const rest = isDrained ? { ...lane, taken: 0, waiting: lane.waiting.slice(1) } : { ...lane, taken: lane.taken + 1 };
  const lanes = rest.waiting.length === 0 ? others : [rest, ...others];
  return withTask({ ...board, lanes }, place, {
    status: 'claimed',
    worker,
    attempts: taskAt(board, place).attempts + 1,
  });
}

/** Puts a claimed task back, behind those of its priority that are ready. */
export function returned(board: Board, place: number): Board {
  return madeReady(board, place);
}

/** A task is done: those that waited only for it become ready. */
export function finished(board: Board, place: number, output: JsonValue): Board {
  let changed = withTask({ ...board, over: board.over + 1 }, place, { status: 'done', output });
  for (const dependent of taskAt(board, place).dependents) {
    const { open, status } = taskAt(changed, dependent);
    if (status !== 'waiting') continue;
    changed = withTask(changed, dependent, { open: open - 1 });
    if (open === 1) changed = madeReady(changed, dependent);
  }
  return changed;
}

/** A task is given up: whatever waits for it, or for one of those, is blocked. */
export function givenUp(board: Board, place: number, error: PlainError): Board {
  let changed = withTask({ ...board, over: board.over + 1 }, place, { status: 'failed', error });
  const waiting = [...taskAt(board, place).dependents];
  for (let dependent = waiting.pop(); dependent !== undefined; dependent = waiting.pop()) {
    const { status, dependents } = taskAt(changed, dependent);
    if (status !== 'waiting') continue;
    changed = withTask({ ...changed, over: changed.over + 1 }, dependent, { status: 'blocked' });
    waiting.push(...dependents);
  }
  return changed;
}

/** What the tasks before this one came to, in the order in which they are named. */
export function resultsBefore(board: Board, place: number): readonly Result[] {
  return taskAt(board, place).after.map((before) => {
    const { work, output } = taskAt(board, before);
    return { id: work.id, output: output ?? null };
  });
}

/** What became of each task, when all are over. */
export function endsOf({ tasks }: Board): readonly TaskEnd[] {
  return tasks.flat().map(({ work, status, attempts, worker, output, error }) => ({
    id: work.id,
    // None is waiting, ready or claimed any more.
    status: status as TaskEnd['status'],
    attempts,
    worker,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
  }));
}

/** A circle among the tasks, as `a → b → a`; undefined when there is none. */
function circleOf(tasks: readonly BoardTask[]): string | undefined {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const open = new Map(tasks.map(({ id, after = [] }) => [id, after.filter((one) => byId.has(one)).length]));
  const dependents = new Map<string, string[]>(tasks.map(({ id }) => [id, []]));
  for (const { id, after = [] } of tasks) for (const one of after) dependents.get(one)?.push(id);
  const ready = tasks.map(({ id }) => id).filter((id) => open.get(id) === 0);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    open.delete(id);
    for (const dependent of dependents.get(id) ?? []) {
      const left = (open.get(dependent) ?? 0) - 1;
      open.set(dependent, left);
      if (left === 0) ready.push(dependent);
    }
  }
  // Whoever is left has somebody before it that is left, so going back from anyone runs into a circle.
  let id: string | undefined = [...open.keys()][0];
  const way: string[] = [];
  while (id !== undefined && !way.includes(id)) {
    way.push(id);
    id = byId.get(id)?.after?.find((one) => open.has(one));
  }
  return id === undefined ? undefined : [...way.slice(way.indexOf(id)), id].join(' → ');
}

/** The board with more tasks. Throws BAD_INPUT or DUPLICATE_NAME in the name of `machine`, with the circle's tasks if there is one. */
export function withTasks(machine: string, board: Board, tasks: readonly BoardTask[]): Board {
  checkMembers(machine, tasks, { name: 'tasks', min: 0, max: tasksMax - board.total, isGiven: true });
  const places = [...board.places];
  const known: Pick<Board, 'places'> = { places };
  for (const [index, { id }] of tasks.entries()) {
    if (placeOf(known, id) !== undefined)
      throw new TroupeError(
        'DUPLICATE_NAME',
        `${machine}: there is a task \`${id}\` already. Names are identities: give the second another id.`,
      );
    const bucket = bucketOf(id);
    places[bucket] = [...(places[bucket] ?? []), [id, board.total + index]];
  }
  const placeAfter = (id: string) => placeOf(known, id);
  for (const { id, after = [], priority } of tasks) {
    wholeNumber(machine, `tasks.${id}.priority`, priority, { min: -100, max: 100, otherwise: 0 });
    if (!Array.isArray(after)) throw badInput(machine, `expected \`after\` of task \`${id}\` to be a list of task ids`);
    if (new Set(after).size !== after.length) throw badInput(machine, `task \`${id}\` names a task twice in \`after\``);
    const unknown = after.find((one) => placeAfter(one) === undefined);
    if (unknown !== undefined)
      throw badInput(machine, `task \`${id}\` comes after task \`${unknown}\`, which is not on the board`);
  }
  const circle = circleOf(tasks);
  if (circle !== undefined)
    throw badInput(machine, `tasks wait for one another in a circle, each for the next: ${circle}`);

  let slices = board.tasks;
  const dependents = new Map<number, number[]>();
  for (const [index, { after = [], priority = 0, ...work }] of tasks.entries()) {
    const before = after.map((one) => placeAfter(one) as number);
    slices = added(slices, {
      work: work as MemberInput,
      priority,
      after: before,
      dependents: [],
      open: 0,
      status: 'waiting',
      attempts: 0,
      worker: null,
    });
    for (const place of before) {
      const list = dependents.get(place);
      if (list === undefined) dependents.set(place, [board.total + index]);
      else list.push(board.total + index);
    }
  }
  let changed: Board = { ...board, tasks: slices, places, total: board.total + tasks.length };
  for (const [place, more] of dependents) {
    changed = withTask(changed, place, { dependents: [...taskAt(changed, place).dependents, ...more] });
  }
  return opened(changed, board.total);
}

/** Tasks from this place on begin: ready, waiting, or blocked by what has failed before they came. */
function opened(board: Board, from: number): Board {
  let changed = board;
  const blocked: number[] = [];
  for (let place = from; place < board.total; place += 1) {
    const before = taskAt(changed, place).after.map((one) => taskAt(changed, one).status);
    const open = before.filter((status) => status !== 'done').length;
    changed = withTask(changed, place, { open });
    if (open === 0) changed = madeReady(changed, place);
    if (before.some((status) => status === 'failed' || status === 'blocked')) blocked.push(place);
  }
  for (let place = blocked.pop(); place !== undefined; place = blocked.pop()) {
    if (taskAt(changed, place).status !== 'waiting') continue;
    changed = withTask({ ...changed, over: changed.over + 1 }, place, { status: 'blocked' });
    blocked.push(...taskAt(changed, place).dependents);
  }
  return changed;
}
