/** `troupe/journal`: remembering. */
export { journalConformance, type ConformanceAdapter, type ConformancePlace, type TestApi } from './conformance.ts';
export { CrashError, faultyFileSystem, type Fault, type FaultyFileSystem } from './faulty-fs.ts';
export { fileStore, type FileStore, type FileStoreOptions } from './file.ts';
export { nodeFileSystem, type FileSystem, type OpenFile, type OpenMode } from './fs.ts';
export { type Upcasts } from './decode.ts';
export { memoryStore, type MemoryStore } from './memory.ts';
export { memoryFileSystem, type MemoryFileSystem } from './memory-fs.ts';
export type {
  Archive,
  Entry,
  Fork,
  Holder,
  Journal,
  JournalEvent,
  JournalNotice,
  JournalStore,
  Lease,
  Origin,
  Outline,
  Outlined,
  Snapshot,
} from './port.ts';
export { machineProcesses, type Liveness, type ProcessIdentity, type Processes } from './process-identity.ts';
