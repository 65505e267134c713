/**
 * Loader hooks in front of tsx; Node runs them in a thread of their own. A `.ts` file is a module, whether or not a package.json
 * says so: tsx alone takes it for CommonJS, which cannot import what is a module.
 */
import type { LoadHook, ResolveHook } from 'node:module';

const isTypeScript = (url: string) => url.startsWith('file:') && /\.tsx?(\?|$)/.test(url);

/** Called by Node for every import. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  const resolved = await next(specifier, context);
  return isTypeScript(resolved.url) ? { ...resolved, format: 'module' } : resolved;
};

/** Called by Node for every module. */
export const load: LoadHook = (url, context, next) =>
  next(url, isTypeScript(url) ? { ...context, format: 'module' } : context);
