/** A small terminal: what a person would see after these bytes. It knows what the program writes, and refuses the rest. */
export interface Screen {
  /** Lines that have scrolled away. */
  readonly gone: readonly string[];
  /** Lines that are visible, without trailing spaces. */
  lines(): readonly string[];
  /** How often a line was too long. */
  wrapped(): number;
  isCursorVisible(): boolean;
  write(text: string): void;
}

/** A terminal of `rows` by `columns`. */
export function screen(rows: number, columns: number): Screen {
  const cells: string[][] = Array.from({ length: rows }, () => []);
  const gone: string[] = [];
  let row = 0;
  let column = 0;
  let visible = true;
  let wrapped = 0;
  const textOf = (line: readonly string[]) =>
    Array.from(line, (cell) => cell ?? ' ')
      .join('')
      .trimEnd();
  const feed = () => {
    row += 1;
    if (row < rows) return;
    gone.push(textOf(cells.shift() ?? []));
    cells.push([]);
    row = rows - 1;
  };
  const put = (character: string) => {
    const width = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff00-\uff60]/.test(character) ? 2 : 1;
    if (column + width > columns) {
      wrapped += 1;
      feed();
      column = 0;
    }
    const line = cells[row] ?? [];
    line[column] = character;
    if (width === 2) line[column + 1] = '';
    column += width;
  };
  const control = (parameters: string, final: string) => {
    const count = Number(parameters === '' ? 1 : parameters);
    if (final === 'A') row = Math.max(0, row - count);
    else if (final === 'G') column = count - 1;
    else if (final === 'K') cells[row]?.splice(column);
    else if (final === 'J') {
      cells[row]?.splice(column);
      for (const line of cells.slice(row + 1)) line.length = 0;
    } else if (parameters === '?25') visible = final === 'h';
    else if (final !== 'm' && parameters !== '?2026') throw new Error(`unknown control sequence ${parameters}${final}`);
  };
  return {
    gone,
    lines: () => cells.map(textOf),
    wrapped: () => wrapped,
    isCursorVisible: () => visible,
    write(text) {
      for (const match of text.matchAll(/\u001b\[([\d;?]*)([A-Za-z])|([^])/gu)) {
        const [, parameters = '', final, character = ''] = match;
        if (final !== undefined) control(parameters, final);
        else if (character === '\r') column = 0;
        else if (character === '\n') feed();
        else put(character);
      }
    },
  };
}
