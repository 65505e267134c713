/**
 * A home for Gemini CLI in which only the settings are others: the user's own, with the group's servers in them. There is no argument for
 * a server, and settings of a higher rank must be files of root's in folders of root's; so the rest of the user's home is linked.
 */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fields, lineObject, type LineObject } from './line-object.ts';
import type { CliTurn } from './program.ts';

const folderName = '.gemini';
const settingsName = 'settings.json';

/** Sessions are kept in these: they must be there before the first one, to be linked. */
const keptFolders = ['history', 'tmp'];

/** Makes it; resolves to its path, for `GEMINI_CLI_HOME`. */
export async function geminiHome(turn: CliTurn, toolSeconds: number): Promise<string> {
  const { env } = turn;
  const userHome = env['GEMINI_CLI_HOME'] || env['HOME'] || homedir();
  const own = join(userHome, folderName);
  await Promise.all(keptFolders.map((name) => mkdir(join(own, name), { recursive: true })));
  const home = await turn.folder('gemini');
  const made = join(home, folderName);
  await mkdir(made);
  const names = (await readdir(own)).filter((name) => name !== settingsName && !name.endsWith('.lock'));
  await Promise.all(names.map((name) => symlink(join(own, name), join(made, name))));
  // Variables that the user keeps for it.
  await symlink(join(userHome, '.env'), join(home, '.env'));
  const settings = settingsIn(await readFile(join(own, settingsName), 'utf8').catch(() => '{}'));
  await writeFile(join(made, settingsName), JSON.stringify(withServers(settings, turn, toolSeconds)), { mode: 0o600 });
  return home;
}

function withServers(settings: LineObject, { mcpServers, retries }: CliTurn, toolSeconds: number): LineObject {
  const servers = mcpServers.map(({ name, url, headers }) => [
    name,
    { httpUrl: url, headers, trust: true, timeout: toolSeconds * 1_000 },
  ]);
  return {
    ...settings,
    general: { ...fields(settings['general']), maxAttempts: retries + 1 },
    mcpServers: { ...fields(settings['mcpServers']), ...Object.fromEntries(servers) },
  };
}

/** Its settings may have comments. */
function settingsIn(text: string): LineObject {
  return lineObject(text.replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, '$1')) ?? {};
}
