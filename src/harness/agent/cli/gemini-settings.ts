/** Settings of Gemini CLI's highest rank, with the group's servers in them: the system's own stay, if there are any. */
import { readFile } from 'node:fs/promises';
import { fields, lineObject, type LineObject } from './line-object.ts';
import type { CliTurn } from './program.ts';

const ownPlaces: Readonly<Record<string, string>> = {
  darwin: '/Library/Application Support/GeminiCli/settings.json',
  linux: '/etc/gemini-cli/settings.json',
  win32: String.raw`C:\ProgramData\gemini-cli\settings.json`,
};

/** Content of the file. */
export async function geminiSettings({ env, mcpServers, retries }: CliTurn, toolSeconds: number): Promise<string> {
  const place = env['GEMINI_CLI_SYSTEM_SETTINGS_PATH'] ?? ownPlaces[process.platform] ?? '';
  const own: LineObject = lineObject(await readFile(place, 'utf8').catch(() => '{}')) ?? {};
  const servers = mcpServers.map(({ name, url, headers }) => [
    name,
    { httpUrl: url, headers, trust: true, timeout: toolSeconds * 1_000 },
  ]);
  return JSON.stringify({
    ...own,
    general: { maxAttempts: retries + 1, ...fields(own['general']) },
    mcpServers: { ...fields(own['mcpServers']), ...Object.fromEntries(servers) },
  });
}
