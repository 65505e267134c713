/**
 * Loader hooks in front of tsx; before 22.15, Node runs them in a thread of their own. A `.ts` file is a module, whether or not a package.json
 * says so: tsx alone takes it for CommonJS, which cannot import what is a module.
 */
import type { LoadHook, ResolveFnOutput, ResolveHook } from 'node:module';

const isTypeScript = (url: string) => url.startsWith('file:') && /\.tsx?(\?|$)/.test(url);

const asModule = (resolved: ResolveFnOutput): ResolveFnOutput =>
  isTypeScript(resolved.url) ? { ...resolved, format: 'module' } : resolved;

/** Called by Node for every import; `next` answers at once where hooks have no thread of their own. */
export const resolve: ResolveHook = (specifier, context, next) => {
  const resolved = next(specifier, context);
  return resolved instanceof Promise ? resolved.then(asModule) : asModule(resolved);
};

/** Called by Node for every module. */
export const load: LoadHook = (url, context, next) =>
  next(url, isTypeScript(url) ? { ...context, format: 'module' } : context);
