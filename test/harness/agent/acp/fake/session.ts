/** What a fake agent keeps of its sessions, so that another process finds it. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Said } from '../../../../agents/model/question.ts';

/** A session at rest. */
export interface Transcript {
  readonly atMs: number;
  readonly said: readonly Said[];
}

/** Where transcripts are. */
export interface Transcripts {
  read(id: string): Transcript | undefined;
  write(id: string, transcript: Transcript): void;
  remove(id: string): void;
}

/** In this process. */
export function transcriptsInMemory(): Transcripts {
  const kept = new Map<string, Transcript>();
  return {
    read: (id) => kept.get(id),
    write: (id, { atMs, said }) => void kept.set(id, { atMs, said: [...said] }),
    remove: (id) => void kept.delete(id),
  };
}

/** As files of a folder. */
export function transcriptsIn(folder: string): Transcripts {
  const at = (id: string) => join(folder, `${id}.json`);
  mkdirSync(folder, { recursive: true });
  return {
    read: (id) => (existsSync(at(id)) ? (JSON.parse(readFileSync(at(id), 'utf8')) as Transcript) : undefined),
    write: (id, transcript) => writeFileSync(at(id), JSON.stringify(transcript)),
    remove: (id) => rmSync(at(id), { force: true }),
  };
}
