/** Two integers to one: the memo of everything that the engine asks more than once. Open addressing in one typed array. */
const absent = -1;

/** From (a, b), both integers >= 0, to an integer >= 0. */
export class PairMap {
  private cells: Int32Array;
  private mask: number;
  private count = 0;

  constructor(capacity = 64) {
    const slots = 2 ** Math.ceil(Math.log2(capacity * 2));
    this.cells = new Int32Array(slots * 3).fill(absent);
    this.mask = slots - 1;
  }

  /** -1 when there is none. */
  get(a: number, b: number): number {
    const { cells, mask } = this;
    for (let slot = scatter(a, b) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * 3;
      const first = cells[at];
      if (first === absent) return absent;
      if (first === a && cells[at + 1] === b) return cells[at + 2] as number;
    }
  }

  /** Only for a pair that is not there yet. */
  set(a: number, b: number, value: number): void {
    if (this.count * 2 > this.mask) this.grow();
    this.put(a, b, value);
    this.count += 1;
  }

  bytes(): number {
    return this.cells.byteLength;
  }

  private put(a: number, b: number, value: number): void {
    const { cells, mask } = this;
    let slot = scatter(a, b) & mask;
    while (cells[slot * 3] !== absent) slot = (slot + 1) & mask;
    cells[slot * 3] = a;
    cells[slot * 3 + 1] = b;
    cells[slot * 3 + 2] = value;
  }

  private grow(): void {
    const { cells: old } = this;
    this.mask = this.mask * 2 + 1;
    this.cells = new Int32Array((this.mask + 1) * 3).fill(absent);
    for (let at = 0; at < old.length; at += 3) {
      if (old[at] !== absent) this.put(old[at] as number, old[at + 1] as number, old[at + 2] as number);
    }
  }
}

function scatter(a: number, b: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
