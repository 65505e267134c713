/** Pending timers of a host in due order: a binary heap. Removal marks, popping skips, and when most are marked they are swept out. */

/** A timer that waits. */
export interface Due {
  readonly dueAt: number;
  /** Breaks ties: timers due at one moment fire in the order they were set. */
  readonly order: number;
  isCancelled: boolean;
  fire(): void;
}

/** Timers in due order. */
export interface DueHeap {
  push(due: Due): void;
  /** The earliest living timer; undefined when there is none. */
  peek(): Due | undefined;
  pop(): Due | undefined;
  /** Takes it out. */
  cancel(due: Due): void;
  /** Places taken, those of cancelled timers included. */
  readonly size: number;
}

/** Fewer places than this are not worth sweeping. */
const sweepMin = 64;

const isBefore = (one: Due, other: Due) =>
  one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.order < other.order);

/** An empty heap. */
export function dueHeap(): DueHeap {
  let heap: Due[] = [];
  /** Marks since the last sweep, those on timers that had fired already included: how soon it is worth sweeping again. */
  let cancelled = 0;
  const swap = (one: number, other: number) => {
    [heap[one], heap[other]] = [heap[other] as Due, heap[one] as Due];
  };
  const removeTop = () => {
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || top === last) return top;
    heap[0] = last;
    for (let index = 0; ;) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < heap.length && isBefore(heap[child] as Due, heap[least] as Due)) least = child;
      }
      if (least === index) return top;
      swap(index, least);
      index = least;
    }
  };
  const peek = () => {
    while (heap[0]?.isCancelled === true) {
      removeTop();
      cancelled -= 1;
    }
    return heap[0];
  };
  return {
    push(due) {
      heap.push(due);
      for (let index = heap.length - 1; index > 0;) {
        const parent = (index - 1) >> 1;
        if (!isBefore(heap[index] as Due, heap[parent] as Due)) break;
        swap(index, parent);
        index = parent;
      }
    },
    peek,
    pop: () => (peek() === undefined ? undefined : removeTop()),
    cancel(due) {
      if (due.isCancelled) return;
      due.isCancelled = true;
      cancelled += 1;
      if (heap.length < sweepMin || cancelled * 2 < heap.length) return;
      // A sorted list is a heap.
      heap = heap.filter(({ isCancelled }) => !isCancelled).toSorted((one, other) => (isBefore(one, other) ? -1 : 1));
      cancelled = 0;
    },
    get size() {
      return heap.length;
    },
  };
}
