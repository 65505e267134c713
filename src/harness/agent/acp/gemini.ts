/**
 * What is Gemini CLI's own (0.61). Its transcript of a session is a file named by the UTC minute in which it was begun; a process that
 * loads the session in that same minute begins the file anew, and the session is lost.
 */
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Fields } from './read.ts';
import { textOf } from './read.ts';

/** The UTC minute in which a session's newest transcript was begun, ms since 1970; undefined when there is none. */
export async function geminiTranscriptAtMs(
  sessionId: string,
  env: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  const folder = join(env['GEMINI_CLI_HOME'] ?? env['HOME'] ?? homedir(), '.gemini/tmp');
  let atMs: number | undefined;
  for (const project of await namesIn(folder)) {
    for (const name of await namesIn(join(folder, project, 'chats'))) {
      const [, day, hour, minute, id] = /^session-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(.+)\.jsonl?$/.exec(name) ?? [];
      if (id === undefined || !sessionId.startsWith(id)) continue;
      atMs = Math.max(atMs ?? 0, Date.parse(`${day}T${hour}:${minute}:00Z`));
    }
  }
  return atMs;
}

/** The tool that a use belongs to: its id begins with the name; its title is a command, in the model's own words. */
export function geminiToolName(toolCall: Fields): string | undefined {
  return /^(.+?)(?:__call_|__[^_]*$|-\d{10})/.exec(textOf(toolCall['toolCallId']) ?? '')?.[1];
}

function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
