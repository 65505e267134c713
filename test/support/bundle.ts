/** How code under test is bundled for processes of its own: as the package is, for plain node, with its dependencies outside. */
import type { BuildOptions } from 'esbuild';

/** One module out of many, or with `splitting` a few. */
export const bundled = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
} satisfies BuildOptions;
