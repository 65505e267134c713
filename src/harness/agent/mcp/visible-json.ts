/**
 * JSON in which nothing hides and nothing can end what stands around it. What a member wrote is shown to a model beside what we
 * and the agent's own program wrote: so no tag of theirs (`</result>`) can be forged in it, and no character that a person does not
 * see (direction marks, zero widths, tag characters) can carry text that only the model reads. It parses to the same value.
 */

/**
 * `<`, `>`, delete and C1 controls, and what Unicode says is not seen: format characters, line and paragraph separators, and all
 * that is ignored by default (zero widths, fillers, selectors, tags).
 */
const unseen = /[<>\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const escaped = (text: string) =>
  Array.from({ length: text.length }, (_, index) => `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`).join(
    '',
  );

/** `value` as one line of JSON. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(unseen, escaped);
}
