/** Where in a user's files something was thrown, as its stack tells. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The uppermost place of a stack that is neither node's nor a package's; undefined when there is none. */
export function placeInStack(stack: string): { readonly file: string; readonly line: string } | undefined {
  for (const text of stack.split('\n')) {
    // Folders may have blanks and brackets in their names.
    const match = /^ +at (?:.*? \((.+):(\d+):\d+\)|(?:async )?(.+):(\d+):\d+)$/.exec(text);
    const [, called, calledLine, place = called ?? '', line = calledLine] = match ?? [];
    if (line === undefined || /^node:|^eval at |\/node_modules\//.test(place)) continue;
    return { file: pathOf(place), line };
  }
  return undefined;
}

/** The file in which node found the mistake of a SyntaxError, where it tells: in the line above the stack. */
export function placeAboveStack(stack: string): string | undefined {
  const place = /^((?:file:|\/).+):\d+\n/.exec(stack)?.[1];
  return place === undefined ? undefined : pathOf(place);
}

function pathOf(place: string): string {
  const where = place.split('?')[0] ?? '';
  return where.startsWith('file:') ? fileURLToPath(where) : where;
}

/** A path as seen from the folder the command runs in, where that is shorter. */
export function nearPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
