/** What programs write before a line that is meant for another program. */

/** A byte order mark or space, or what only a terminal understands: titles, colours, a hidden cursor, a carriage that returns. */
const mark =
  /[\ufeff\0-\u001a\u001c-\u0020]{1,64}|\u001b\][^\u0007\u001b]{0,1024}(?:\u0007|\u001b\\)|\u001b\[[0-?]{0,64}[ -/]{0,8}[@-~]/y;

/** More of them is no beginning of a line. */
const marksMax = 64;

/** `line` from its first character that is seen. */
export function withoutMarks(line: string): string {
  let from = 0;
  for (let marks = 0; marks < marksMax; marks += 1) {
    mark.lastIndex = from;
    if (!mark.test(line)) break;
    from = mark.lastIndex;
  }
  return line.slice(from);
}
