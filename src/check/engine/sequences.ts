/** Sequences of integers, each kept once, known by a number: network contents, lists of sends, keys of local states. Exact. */
export class Sequences {
  /** All items, one sequence after the other. Replaced by a larger one as it grows; what was in it stays as it was. */
  pool: Int32Array = new Int32Array(1_024);
  private poolLength = 0;
  /** Where each sequence begins in the pool; one more than there are sequences. */
  private starts: Int32Array = new Int32Array(256);
  private table: Int32Array = new Int32Array(512);
  private mask = 511;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** The number of this sequence; 0 for the first one ever asked for. */
  idOf(items: ArrayLike<number>, length: number = items.length): number {
    let hash = length | 0;
    for (let index = 0; index < length; index += 1) hash = mix(hash, items[index] as number);
    hash = finish(hash);
    const { table, mask } = this;
    let slot = hash & mask;
    for (let known = table[slot] as number; known !== 0; known = table[slot] as number) {
      if (this.equals(known - 1, items, length)) return known - 1;
      slot = (slot + 1) & mask;
    }
    return this.add(items, length, slot);
  }

  lengthOf(id: number): number {
    return (this.starts[id + 1] as number) - (this.starts[id] as number);
  }

  /** Where the sequence begins in the pool. */
  startOf(id: number): number {
    return this.starts[id] as number;
  }

  /** Where it has ended in the pool. */
  endOf(id: number): number {
    return this.starts[id + 1] as number;
  }

  /** A view, good until the next new sequence. */
  read(id: number): Int32Array {
    return this.pool.subarray(this.starts[id], this.starts[id + 1]);
  }

  bytes(): number {
    return this.pool.byteLength + this.starts.byteLength + this.table.byteLength;
  }

  private equals(id: number, items: ArrayLike<number>, length: number): boolean {
    const start = this.starts[id] as number;
    if ((this.starts[id + 1] as number) - start !== length) return false;
    for (let index = 0; index < length; index += 1) if (this.pool[start + index] !== items[index]) return false;
    return true;
  }

  private add(items: ArrayLike<number>, length: number, slot: number): number {
    const id = this.count;
    while (this.poolLength + length > this.pool.length) this.pool = doubled(this.pool);
    if (id + 2 > this.starts.length) this.starts = doubled(this.starts);
    for (let index = 0; index < length; index += 1) this.pool[this.poolLength + index] = items[index] as number;
    this.poolLength += length;
    this.starts[id + 1] = this.poolLength;
    this.table[slot] = id + 1;
    this.count += 1;
    if (this.count * 2 > this.mask) this.grow();
    return id;
  }

  private grow(): void {
    this.mask = this.mask * 2 + 1;
    this.table = new Int32Array(this.mask + 1);
    for (let id = 0; id < this.count; id += 1) {
      const end = this.starts[id + 1] as number;
      const start = this.starts[id] as number;
      let hash = (end - start) | 0;
      for (let at = start; at < end; at += 1) hash = mix(hash, this.pool[at] as number);
      let slot = finish(hash) & this.mask;
      while (this.table[slot] !== 0) slot = (slot + 1) & this.mask;
      this.table[slot] = id + 1;
    }
  }
}

/** One more integer into a hash; {@link finish} spreads it. */
export function mix(hash: number, value: number): number {
  return (Math.imul(hash, 0x9e3779b1) + value) | 0;
}

/** A hash as an unsigned integer whose low bits depend on all. */
export function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

function doubled(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
