/**
 * Loader hook for process files; before 22.15, Node runs it in a thread of its own. `troupe` and `xstate` mean the copies that this program
 * runs on, whatever is installed beside the process file: a machine made by another copy would not be recognised. Packages in
 * node_modules keep their own `xstate`.
 */
import type { InitializeHook, ResolveHook } from 'node:module';

/** What the hook is told when it is registered. */
export interface PackageHookData {
  /** A module of this program: packages are looked up from there. */
  readonly from: string;
}

let from: string | undefined;

/** Whether it means this program's copy, in the file of this URL or path. */
export function isShared(specifier: string, parent: string): boolean {
  const isInstalled = /[/\\]node_modules[/\\]/.test(parent);
  return /^troupe(\/|$)/.test(specifier) || (/^xstate(\/|$)/.test(specifier) && !isInstalled);
}

/** Called once, by Node where the hook has a thread of its own. */
export const initialize: InitializeHook<PackageHookData> = (data) => {
  ({ from } = data);
};

/** Called by Node for every import. */
export const resolve: ResolveHook = (specifier, context, next) => {
  const isOurs = from !== undefined && isShared(specifier, context.parentURL ?? '');
  return next(specifier, isOurs ? { ...context, parentURL: from } : context);
};
