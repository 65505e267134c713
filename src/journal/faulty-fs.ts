/**
 * Trouble on order: wraps a file system and lets its Nth call crash the process or fail with a system error.
 * Calls are counted in the order they are made (`exists` changes nothing and is not counted).
 */
import type { FileSystem, OpenFile } from './fs.ts';

/** What goes wrong, and at which call (1 for the first). */
export type Fault =
  /** The process dies just before, or just after, the call: every later call is refused. */
  | { readonly type: 'crash'; readonly call: number; readonly when: 'before' | 'after' }
  /** The process dies inside the call; of a write only the first `bytes` bytes arrive. Other calls: as `before`. */
  | { readonly type: 'tear'; readonly call: number; readonly bytes: number }
  /** The call fails with this code, once, or from then on (`sticky`); of a write the first `bytes` bytes arrive (default 0). */
  | {
      readonly type: 'errno';
      readonly call: number;
      readonly code: string;
      readonly sticky?: boolean;
      readonly bytes?: number;
    };

/** A file system that can be ordered to fail. */
export interface FaultyFileSystem extends FileSystem {
  /** Names of the calls made so far, in order: `write /runs/r/journal.jsonl`. */
  calls(): readonly string[];
  /** True after a crash: the process that used it is to be thought dead. */
  crashed(): boolean;
  /** Replaces the fault; undefined heals everything but a crash. */
  inject(fault: Fault | undefined): void;
}

/** What every call throws after a crash: no code, for no system would give one. */
export class CrashError extends Error {
  override readonly name = 'CrashError';
  constructor() {
    super('the process is dead: an injected crash');
  }
}

function systemError(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: injected into ${call}`), { code, syscall: call.split(' ')[0] });
}

/** Wraps `inner`; without a fault it only counts. */
export function faultyFileSystem(inner: FileSystem, first?: Fault): FaultyFileSystem {
  const calls: string[] = [];
  let fault = first;
  let dead = false;

  /** Counts a call; throws when it must not happen; says how many bytes of a write may arrive, and whether it crashes afterwards. */
  const enter = (call: string): { readonly bytes?: number; readonly error?: Error } => {
    if (dead) throw new CrashError();
    calls.push(call);
    if (fault === undefined || calls.length < fault.call) return {};
    if (fault.type === 'errno') {
      if (calls.length > fault.call && fault.sticky !== true) return {};
      return { bytes: fault.bytes ?? 0, error: systemError(fault.code, call) };
    }
    dead = true;
    if (fault.type === 'crash' && fault.when === 'after') return { bytes: Infinity, error: new CrashError() };
    return { bytes: fault.type === 'tear' ? fault.bytes : 0, error: new CrashError() };
  };
  const perform = async <Result>(call: string, run: () => Promise<Result>): Promise<Result> => {
    const { bytes, error } = enter(call);
    if (error === undefined) return run();
    if (bytes === Infinity) await run();
    throw error;
  };
  /** Part of a write may arrive; what arrives is the caller's to perform. */
  const put = (call: string, bytes: Uint8Array): { readonly arriving: Uint8Array; readonly error?: Error } => {
    const order = enter(call);
    if (order.error === undefined) return { arriving: bytes };
    return { arriving: bytes.subarray(0, Math.min(bytes.length, order.bytes ?? 0)), error: order.error };
  };

  const wrap = (file: OpenFile, path: string): OpenFile => ({
    async write(bytes, position) {
      const { arriving, error } = put(`write ${path}`, bytes);
      const count = arriving.length === 0 ? 0 : await file.write(arriving, position);
      if (error !== undefined) throw error;
      return count;
    },
    writeSync(bytes) {
      const { arriving, error } = put(`write ${path}`, bytes);
      const count = arriving.length === 0 ? 0 : file.writeSync(arriving);
      if (error !== undefined) throw error;
      return count;
    },
    datasync: () => perform(`datasync ${path}`, () => file.datasync()),
    datasyncSync() {
      const { bytes, error } = enter(`datasync ${path}`);
      if (error === undefined || bytes === Infinity) file.datasyncSync();
      if (error !== undefined) throw error;
    },
    read: (into, position) => perform(`read ${path}`, () => file.read(into, position)),
    size: () => perform(`size ${path}`, () => file.size()),
    truncate: (bytes) => perform(`truncate ${path}`, () => file.truncate(bytes)),
    // A dead process's files are closed by the system.
    close: async () => (dead ? file.close() : perform(`close ${path}`, () => file.close())),
  });

  return {
    open: async (path, mode) => wrap(await perform(`open ${path}`, () => inner.open(path, mode)), path),
    exists: (path) => inner.exists(path),
    stat: (path) => perform(`stat ${path}`, () => inner.stat(path)),
    readdir: (path) => perform(`readdir ${path}`, () => inner.readdir(path)),
    mkdir: (path) => perform(`mkdir ${path}`, () => inner.mkdir(path)),
    link: (from, to) => perform(`link ${to}`, () => inner.link(from, to)),
    rename: (from, to) => perform(`rename ${to}`, () => inner.rename(from, to)),
    unlink: (path) => perform(`unlink ${path}`, () => inner.unlink(path)),
    syncDirectory: (path) => perform(`syncDirectory ${path}`, () => inner.syncDirectory(path)),
    calls: () => calls,
    crashed: () => dead,
    inject(next) {
      fault = next;
    },
  };
}
