/** Which signals and messages have been delivered to the process: looked up by the few that it sends itself. */
import type { Entry } from '../journal/port.ts';

const keyOf = (stream: string, id: string) => JSON.stringify([stream, id]);
const idOf = ({ data }: Entry) => (data as { readonly id: string }).id;

/** Signals and messages by stream and id. What nobody has waited for yet is only noted: no key is made of it, and nothing but its id is kept. */
export class Heard {
  private readonly keys = new Set<string>();
  /** Streams and ids in turn. */
  private noted: string[] = [];
  private readonly waits = new Map<string, (() => void)[]>();

  /** True while one is waited for that has not been delivered. */
  get isWaitedFor(): boolean {
    return this.waits.size > 0;
  }

  /** True when this entry, a signal or message, is waited for. */
  isWanted(entry: Entry): boolean {
    return this.isWaitedFor && this.waits.has(keyOf(entry.stream, idOf(entry)));
  }

  /** An entry that is not {@link isWanted} has been delivered. */
  note(entry: Entry): void {
    this.noted.push(entry.stream, idOf(entry));
  }

  /** An entry has been delivered: whoever waits for it goes on. */
  deliver(entry: Entry): void {
    const key = keyOf(entry.stream, idOf(entry));
    this.keys.add(key);
    const waiting = this.waits.get(key) ?? [];
    this.waits.delete(key);
    for (const resolve of waiting) resolve();
  }

  /** True when it has been delivered. */
  has(stream: string, id: string): boolean {
    const { noted } = this;
    for (let index = 0; index < noted.length; index += 2)
      this.keys.add(keyOf(noted[index] as string, noted[index + 1] as string));
    this.noted = [];
    return this.keys.has(keyOf(stream, id));
  }

  /** Resolves when one that {@link has} not been delivered is. */
  wait(stream: string, id: string): Promise<void> {
    const key = keyOf(stream, id);
    return new Promise((resolve) => {
      const list = this.waits.get(key);
      if (list === undefined) this.waits.set(key, [resolve]);
      else list.push(resolve);
    });
  }
}
