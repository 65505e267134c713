/** What is Copilot CLI's own (1.0): it ends a turn well whose model failed, with the error for a text, and without the usage of other ends. */
import type { Sign } from './habits.ts';
import type { Fields } from './read.ts';

/** The failure that a turn's end hides, if it does. */
export function copilotEnd(response: Fields, text: string): Extract<Sign, { readonly type: 'failed' }> | undefined {
  if (typeof response['usage'] === 'object' && response['usage'] !== null) return undefined;
  const message = /Error: ([\s\S]+)$/.exec(text)?.[1];
  if (message === undefined) return undefined;
  const status = /\bHTTP (\d{3})\b/.exec(message)?.[1];
  return { type: 'failed', message, status: status === undefined ? undefined : Number(status) };
}
