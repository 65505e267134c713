/** How a fake agent is started as a program. */
import { fileURLToPath } from 'node:url';

/** Program and arguments. */
export const fakeCommand: readonly string[] = [
  process.execPath,
  '--import',
  import.meta.resolve('tsx'),
  fileURLToPath(new URL('main.ts', import.meta.url)),
];
