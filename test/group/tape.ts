import fc from 'fast-check';

/** Choices made from a list of numbers below 2^48, several from each: fast-check shrinks the list, and 0 is always the simplest choice. */
export class Tape {
  private readonly numbers: readonly number[];
  private at = 0;
  /** What is left of the number that choices are taken from. */
  private left = 0;

  constructor(numbers: readonly number[]) {
    this.numbers = numbers;
  }

  /** A number below `count`; 0 when the tape is over. */
  below(count: number): number {
    if (count <= 1) return 0;
    if (this.left < 1_000) {
      this.left = this.numbers[this.at] ?? 0;
      this.at += 1;
    }
    const number = this.left % count;
    this.left = Math.floor(this.left / count);
    return number;
  }

  /** True in `percent` of a hundred. */
  chance(percent: number): boolean {
    return this.below(100) >= 100 - percent;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  list<Item>(max: number, make: () => Item): Item[] {
    return Array.from({ length: this.below(max + 1) }, make);
  }

  get isOver(): boolean {
    return this.at >= this.numbers.length;
  }
}

const numbers = (length: number) =>
  fc.noBias(fc.array(fc.integer({ min: 0, max: 2 ** 48 }), { minLength: length, maxLength: length }));

/** A tape for a machine and one for its inputs. */
export const tapes = [numbers(400), numbers(20)] as const;
