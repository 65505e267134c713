/** Texts, each known by a number. */
export interface Texts {
  idOf(text: string): number;
  textOf(id: number): string;
  readonly size: number;
}

/** An empty collection of texts. */
export function textsOf(): Texts {
  const ids = new Map<string, number>();
  const texts: string[] = [];
  return {
    idOf(text) {
      const known = ids.get(text);
      if (known !== undefined) return known;
      const id = texts.length;
      texts.push(text);
      ids.set(text, id);
      return id;
    },
    textOf: (id) => texts[id] as string,
    get size() {
      return texts.length;
    },
  };
}
