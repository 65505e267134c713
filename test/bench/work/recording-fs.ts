/** The machine's file system, noting what is written to the log: to write the very same bytes in the very same batches bare. */
import { nodeFileSystem, type FileSystem } from '../../../src/journal/fs.ts';

/** A file system and what was appended through it. */
export interface RecordingFileSystem {
  readonly fs: FileSystem;
  /** One text per flush. */
  readonly batches: string[];
}

/** Makes one; recording costs one copy per flush. */
export function recordingFileSystem(): RecordingFileSystem {
  const batches: string[] = [];
  const fs: FileSystem = {
    ...nodeFileSystem,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      if (mode !== 'append') return file;
      return {
        ...file,
        write: (bytes, position) => {
          batches.push(Buffer.from(bytes).toString());
          return file.write(bytes, position);
        },
        writeSync: (bytes) => {
          batches.push(Buffer.from(bytes).toString());
          return file.writeSync(bytes);
        },
      };
    },
  };
  return { fs, batches };
}
