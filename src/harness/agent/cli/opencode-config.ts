/** OpenCode's configuration in a variable, over the user's own: the group's servers, and what it may do. */
import { fields, lineObject } from './line-object.ts';
import type { CliTurn } from './program.ts';

/** OpenCode would give up on a waiting inbox after 60 s, ms. */
const callMs = 600_000;

/** The variable's value. */
export function opencodeConfig({ env, mcpServers, sandbox }: CliTurn): string {
  const given = lineObject(env['OPENCODE_CONFIG_CONTENT'] ?? '{}') ?? {};
  const servers = mcpServers.map(({ name, url, headers }) => [
    name,
    { type: 'remote', url, headers, oauth: false, enabled: true, timeout: callMs },
  ]);
  const look = ['read', 'grep', 'glob', 'list'];
  const allowed = [
    ...look,
    ...(sandbox === 'workspace-write' ? ['edit'] : []),
    ...mcpServers.map(({ name }) => `${name}_*`),
  ];
  const permission = { '*': 'deny', ...Object.fromEntries(allowed.map((tool) => [tool, 'allow'])) };
  return JSON.stringify({
    ...given,
    mcp: { ...fields(given['mcp']), ...Object.fromEntries(servers) },
    ...(sandbox === 'full-access' ? {} : { permission }),
  });
}
