/** What a process function writes with `console` goes through the display: it would tear the picture, or spoil `--json`. */
import { Console } from 'node:console';
import { Writable } from 'node:stream';

const methods = ['debug', 'dir', 'dirxml', 'error', 'info', 'log', 'table', 'trace', 'warn'] as const;

/** Gives every line written with `console` to `take`, until the returned function is called. */
export function captureConsole(take: (line: string) => void): () => void {
  const lines = () =>
    new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        for (const line of chunk.replace(/\n$/, '').split('\n')) take(line);
        done();
      },
    });
  const captured = new Console({ stdout: lines(), stderr: lines(), colorMode: false });
  const before = Object.fromEntries(methods.map((name) => [name, console[name]]));
  for (const name of methods) console[name] = captured[name];
  return () => void Object.assign(console, before);
}
