/**
 * The same for `require` as the hook for process files (package-hooks.ts) is for `import`: Node asks no hook for it before 22.15, and takes no
 * other parent from one after.
 */
import Module, { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isShared } from './package-hooks.ts';

/** How Node finds what is required; not in its types, and what others that change it replace as well. */
type Finder = {
  _resolveFilename(
    specifier: string,
    parent: { readonly filename?: string | null } | null | undefined,
    ...more: unknown[]
  ): string;
};

/** From now on `troupe` and `xstate` mean the copies that the module at the URL `from` finds, in CommonJS too. */
export function shareRequired(from: string): void {
  const finder = Module as unknown as Finder;
  const before = finder._resolveFilename.bind(finder);
  const ours = createRequire(from);
  const own = fileURLToPath(from);
  finder._resolveFilename = (specifier, parent, ...more) => {
    const asking = parent?.filename ?? '';
    // What is resolved from there comes by here as well.
    return asking !== own && isShared(specifier, asking) ? ours.resolve(specifier) : before(specifier, parent, ...more);
  };
}
