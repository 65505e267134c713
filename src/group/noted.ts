/**
 * What a replay only notes, and what is looked up by live groups alone: it is put in order by the first who asks. Noting costs a
 * tenth of what keeping a set does.
 */

/** A set of ids. */
export class IdSet implements Iterable<string> {
  private readonly ids: Set<string>;
  private noted: string[] = [];

  constructor(ids: Iterable<string> = []) {
    this.ids = new Set(ids);
  }

  add(id: string): void {
    this.noted.push(id);
  }

  has(id: string): boolean {
    return this.all().has(id);
  }

  get size(): number {
    return this.all().size;
  }

  [Symbol.iterator](): Iterator<string> {
    return this.all().values();
  }

  private all(): Set<string> {
    if (this.noted.length === 0) return this.ids;
    for (const id of this.noted) this.ids.add(id);
    this.noted = [];
    return this.ids;
  }
}

/** Recipients by the id of what they were sent. */
export class Recipients implements Iterable<[id: string, recipients: readonly string[]]> {
  /** Most messages have one recipient: no list is kept for those. */
  private readonly byId = new Map<string, string | readonly string[]>();
  /** Ids and recipients in turn. */
  private noted: string[] = [];

  constructor(entries: Iterable<readonly [id: string, recipients: readonly string[]]> = []) {
    for (const [id, recipients] of entries) this.byId.set(id, recipients);
  }

  add(id: string, recipient: string): void {
    this.noted.push(id, recipient);
  }

  get(id: string): readonly string[] | undefined {
    const recipients = this.all().get(id);
    return recipients === undefined ? undefined : listOf(recipients);
  }

  has(id: string): boolean {
    return this.all().has(id);
  }

  get size(): number {
    return this.all().size;
  }

  /** How many were added; one id to several recipients counts for each. */
  count(): number {
    let count = 0;
    for (const recipients of this.all().values()) count += typeof recipients === 'string' ? 1 : recipients.length;
    return count;
  }

  *[Symbol.iterator](): Iterator<[string, readonly string[]]> {
    for (const [id, recipients] of this.all()) yield [id, listOf(recipients)];
  }

  private all(): ReadonlyMap<string, string | readonly string[]> {
    const { noted, byId } = this;
    if (noted.length === 0) return byId;
    for (let index = 0; index < noted.length; index += 2) {
      const id = noted[index] as string;
      const recipient = noted[index + 1] as string;
      const before = byId.get(id);
      byId.set(id, before === undefined ? recipient : [...listOf(before), recipient]);
    }
    this.noted = [];
    return byId;
  }
}

const listOf = (recipients: string | readonly string[]) => (typeof recipients === 'string' ? [recipients] : recipients);
