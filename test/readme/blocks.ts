/**
 * Which of the README's blocks are run. The marks are for readers first:
 *
 *  - a `ts` block whose first line is a comment that begins with a file name (`// review.process.ts`) is that file:
 *    it is type-checked with the other files and run once;
 *  - in a `sh` block each line that begins with `$ ` is a command, run in the folder of those files, in order; the
 *    other lines show output and are not compared. A command must end with exit code 0, or with the one that a comment
 *    at its end announces (`# exits 4`);
 *  - everything else (fragments, commands without `$ `) is only read.
 */
export interface Block {
  readonly language: string;
  /** 1-based line of the block's first line of content. */
  readonly line: number;
  readonly text: string;
}

/** A file that the README shows whole. */
export interface ShownFile {
  readonly name: string;
  readonly line: number;
  readonly text: string;
}

export interface ShownCommand {
  readonly line: number;
  readonly command: string;
  readonly exitCode: number;
}

/** Fenced blocks in order. Throws when one is never closed. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; language: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^\s*(`{3,})\s*(\S*)/.exec(line);
    if (open === undefined) {
      if (fence) open = { fence: fence[1] ?? '', language: fence[2] ?? '', line: index + 2, lines: [] };
    } else if (line.trim() === open.fence) {
      blocks.push({ language: open.language, line: open.line, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    } else open.lines.push(line);
  }
  if (open !== undefined) throw new Error(`README.md: the block at line ${open.line} is never closed`);
  return blocks;
}

export function filesOf(blocks: readonly Block[]): ShownFile[] {
  return blocks.flatMap(({ language, line, text }) => {
    const name = language === 'ts' ? /^\/\/ ([\w-]+(\.[\w-]+)*\.ts)\b/.exec(text)?.[1] : undefined;
    return name === undefined ? [] : [{ name, line, text }];
  });
}

export function commandsOf(blocks: readonly Block[]): ShownCommand[] {
  return blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ line, text }) =>
      text.split('\n').flatMap((shown, index) => {
        const [, command, exitCode] = /^\$ (.*?)(?:\s+# exits (\d+))?$/.exec(shown) ?? [];
        return command === undefined ? [] : [{ line: line + index, command, exitCode: Number(exitCode ?? 0) }];
      }),
    );
}
