/**
 * Loader hooks for process files; Node runs them in a thread of their own. Two jobs:
 *
 * - One copy: `troupe` and `xstate` mean the copies that this program runs on, whatever is installed beside the process file:
 *   a machine made by another copy would not be recognised. Packages in node_modules keep their own `xstate`.
 * - TypeScript is ESM: a `.ts` file is a module whether or not a package.json says so.
 */
import type { InitializeHook, LoadHook, ResolveHook } from 'node:module';

/** What the hooks are told when they are registered. */
export interface HookData {
  /** A module of this program: packages are looked up from there. */
  readonly from: string;
}

let from: string | undefined;

/** Called once by Node. */
export const initialize: InitializeHook<HookData> = (data) => {
  ({ from } = data);
};

const isTypeScript = (url: string) => /\.tsx?(\?|$)/.test(url) && url.startsWith('file:');

/** Called by Node for every import. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  const isInstalled = context.parentURL?.includes('/node_modules/') ?? false;
  const isShared = /^troupe(\/|$)/.test(specifier) || (/^xstate(\/|$)/.test(specifier) && !isInstalled);
  const resolved = await next(specifier, isShared && from !== undefined ? { ...context, parentURL: from } : context);
  return isTypeScript(resolved.url) ? { ...resolved, format: 'module' } : resolved;
};

/** Called by Node for every module. */
export const load: LoadHook = (url, context, next) =>
  next(url, isTypeScript(url) ? { ...context, format: 'module' } : context);
