/** What many commands wrote, made short enough for one output: a group whose output is over its bound fails, with all its work done. */
import type { JsonValue } from 'troupe';
import type { Result } from './member-input.ts';

/** A command's output, as far as it matters here (`CommandOutput` of `troupe/harness`). */
interface Written {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

function isWritten(output: JsonValue): output is Written & { readonly [name: string]: JsonValue } {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return false;
  const { exitCode, stdout, stderr, truncated } = output as { readonly [name: string]: JsonValue };
  const hasTexts = typeof stdout === 'string' && typeof stderr === 'string';
  return hasTexts && typeof exitCode === 'number' && typeof truncated === 'boolean';
}

/** Bytes that the character at `index` takes in JSON, at most: a half of a pair counts as much as a whole character of its size. */
function bytesAt(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code < 0x20) return 6;
  if (code < 0x80) return code === 0x22 || code === 0x5c ? 2 : 1;
  return code < 0x800 ? 2 : 3;
}

function bytesOf(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) bytes += bytesAt(text, index);
  return bytes;
}

/** The longest end of `text` that takes so many bytes. */
function endOf(text: string, bytesMax: number): string {
  let from = text.length;
  for (let bytes = 0; from > 0; from -= 1) {
    bytes += bytesAt(text, from - 1);
    if (bytes > bytesMax) break;
  }
  // Not from the middle of a pair.
  return text.slice(/[\udc00-\udfff]/.test(text[from] ?? '') ? from + 1 : from);
}

/** How long one text may be, so that all of these sizes take `bytesMax` together: short ones leave their room to long ones. */
function longest(sizes: readonly number[], bytesMax: number): number {
  let room = bytesMax;
  let count = sizes.length;
  for (const size of sizes.toSorted((one, other) => one - other)) {
    if (size * count > room) return Math.floor(room / count);
    room -= size;
    count -= 1;
  }
  return Number.POSITIVE_INFINITY;
}

/** The results, in which `stdout` and `stderr` of commands take at most so many bytes of JSON in all: of the longest only the end stays. */
export function shortened(results: readonly Result[], bytesMax: number): readonly Result[] {
  const texts = results.flatMap(({ output }) => (isWritten(output) ? [output.stdout, output.stderr] : []));
  // No character takes more than six bytes.
  if (texts.reduce((sum, { length }) => sum + length, 0) * 6 <= bytesMax) return results;
  const most = longest(texts.map(bytesOf), bytesMax);
  if (most === Number.POSITIVE_INFINITY) return results;
  return results.map((result) => {
    const { id, output } = result;
    if (!isWritten(output)) return result;
    const [stdout, stderr] = [endOf(output.stdout, most), endOf(output.stderr, most)];
    if (stdout === output.stdout && stderr === output.stderr) return result;
    return { id, output: { ...output, stdout, stderr, truncated: true } };
  });
}
