/**
 * Loader hooks in front of tsx; before 22.15, Node runs them in a thread of their own. A `.ts` file is a module, whether or not a package.json
 * says so: tsx alone takes it for CommonJS, which cannot import what is a module.
 */
import type { LoadHook, ResolveFnOutput, ResolveHook } from 'node:module';

const isTypeScript = (url: string) => url.startsWith('file:') && /\.tsx?(\?|$)/.test(url);

/** What a file is loaded under that was loaded in vain before there were these hooks: Node remembers the failure, and of all it imports. */
export const again = '?typescript';

function found(resolved: ResolveFnOutput, specifier: string, parent: string | undefined): ResolveFnOutput {
  const { url } = resolved;
  const isItsOwn = parent?.endsWith(again) === true && /^(\.{0,2}\/|file:)/.test(specifier);
  // With a query, tsx's, it is another one already.
  const asked = isItsOwn && url.startsWith('file:') && !url.includes('?') ? url + again : url;
  return isTypeScript(url) ? { ...resolved, url: asked, format: 'module' } : { ...resolved, url: asked };
}

/** Called by Node for every import; `next` answers at once where hooks have no thread of their own. */
export const resolve: ResolveHook = (specifier, context, next) => {
  const resolved = next(specifier, context);
  return resolved instanceof Promise
    ? resolved.then((later) => found(later, specifier, context.parentURL))
    : found(resolved, specifier, context.parentURL);
};

/** Called by Node for every module. */
export const load: LoadHook = (url, context, next) =>
  next(url, isTypeScript(url) ? { ...context, format: 'module' } : context);
