/**
 * The CLIs known by name: argv, environment, session, MCP servers, permissions, bounds. Seen on the versions named; what is
 * told by files and variables is not seen by other users of the machine, prompts and tokens in arguments would be.
 */
import { claudeDialect, claudeInput, qwenDialect } from './dialects/claude.ts';
import { codexDialect } from './dialects/codex.ts';
import { copilotDialect } from './dialects/copilot.ts';
import { geminiDialect } from './dialects/gemini.ts';
import { opencodeDialect } from './dialects/opencode.ts';
import { piDialect } from './dialects/pi.ts';
import { geminiHome } from './gemini-home.ts';
import { opencodeConfig } from './opencode-config.ts';
import { qwenDefaults } from './qwen-defaults.ts';
import { oneShot, words, type CliProgram, type CliTurn } from './program.ts';

/** Names of the known CLIs. */
export type CliName = 'claude' | 'codex' | 'copilot' | 'gemini' | 'opencode' | 'pi' | 'qwen';

/** Longest that one call of a tool of the group may take, s: its inbox waits 45. */
const toolSeconds = 120;
/** How long an agent may take to reach the mailbox, s. It is on this machine; the machine may be busy. */
const startupSeconds = 60;

/** The group's tools, for a CLI that must be given their full names. */
const groupTools = ['group_send', 'group_inbox', 'group_checkpoint', 'group_members', 'group_progress'];

const named = ({ mcpServers }: CliTurn) => mcpServers.map(({ name }) => name);

/** `{mcpServers: {name: entry}}`, as most of them read it. */
function mcpFile(
  turn: CliTurn,
  entry: (url: string, headers: Readonly<Record<string, string>>) => object,
): Promise<string> {
  const servers = Object.fromEntries(turn.mcpServers.map(({ name, url, headers }) => [name, entry(url, headers)]));
  return turn.file('mcp.json', JSON.stringify({ mcpServers: servers }));
}

/** Claude Code 2.1. Its model calls are tried again up to ten times by itself, a refused key too; that is bounded here. */
const claude: CliProgram = {
  name: 'claude',
  command: ['claude'],
  dialect: claudeDialect,
  input: claudeInput,
  capabilities: { ...oneShot, steer: 'into-turn', permissions: 'asks' },
  async commandLine(turn) {
    const { session, model, sandbox, outputSchema, costUsdMax, mcpServers } = turn;
    const id = session.id ?? '';
    const mcp =
      mcpServers.length > 0 &&
      words(
        '--mcp-config',
        await mcpFile(turn, (url, headers) => ({ type: 'http', url, headers })),
        '--strict-mcp-config',
      );
    return {
      args: words(
        ['-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'],
        '--include-partial-messages',
        session.isNew ? ['--session-id', id] : ['--resume', id],
        model !== undefined && ['--model', model],
        mcp,
        sandbox === 'full-access'
          ? '--dangerously-skip-permissions'
          : [
              '--permission-prompt-tool',
              'stdio',
              '--permission-mode',
              sandbox === 'read-only' ? 'default' : 'acceptEdits',
            ],
        sandbox !== 'full-access' &&
          mcpServers.length > 0 && [
            '--allowedTools',
            named(turn)
              .map((name) => `mcp__${name}`)
              .join(','),
          ],
        costUsdMax !== undefined && ['--max-budget-usd', String(Math.max(costUsdMax, 0.000_001))],
        outputSchema !== undefined && ['--json-schema', JSON.stringify(outputSchema)],
      ),
      // Deferred tools would hide the group's.
      env: { ENABLE_TOOL_SEARCH: 'false', CLAUDE_CODE_MAX_RETRIES: String(turn.retries), DISABLE_AUTOUPDATER: '1' },
    };
  },
};

/** Codex 0.169. Its operating-system sandbox is the permission; MCP tools pass in each. */
const codex: CliProgram = {
  name: 'codex',
  command: ['codex'],
  dialect: codexDialect,
  capabilities: { ...oneShot, presetSession: false },
  async commandLine(turn) {
    const { session, model, sandbox, outputSchema, prompt } = turn;
    const env: Record<string, string> = {};
    const servers = turn.mcpServers.flatMap(({ name, url, headers }, index) => {
      const variable = `TROUPE_MCP_TOKEN_${index}`;
      env[variable] = (headers['Authorization'] ?? '').replace(/^Bearer /, '');
      // It waits only for servers that are required: without that, its first words may come before it has any tool of its group's.
      return [
        '-c',
        `mcp_servers.${name}={url=${toml(url)},bearer_token_env_var="${variable}",required=true,startup_timeout_sec=${startupSeconds},tool_timeout_sec=${toolSeconds}}`,
      ];
    });
    return {
      args: words(
        ['exec', ...(session.isNew ? [] : ['resume']), '--json', '--skip-git-repo-check'],
        model !== undefined && ['-m', model],
        sandbox === 'full-access' ? '--dangerously-bypass-approvals-and-sandbox' : ['-c', `sandbox_mode="${sandbox}"`],
        servers,
        outputSchema !== undefined && ['--output-schema', await turn.file('schema.json', JSON.stringify(outputSchema))],
        session.isNew ? [] : [session.id ?? ''],
        '-',
      ),
      env,
      stdin: prompt,
    };
  },
};

/** Gemini CLI 0.61: servers are told in settings only. */
const gemini: CliProgram = {
  name: 'gemini',
  command: ['gemini'],
  dialect: geminiDialect,
  capabilities: oneShot,
  async commandLine(turn) {
    const { session, model, sandbox, prompt } = turn;
    const modes = { 'read-only': 'default', 'workspace-write': 'auto_edit', 'full-access': 'yolo' };
    return {
      args: words(
        ['-o', 'stream-json', '--skip-trust', '--approval-mode', modes[sandbox]],
        model !== undefined && ['-m', model],
        [session.isNew ? '--session-id' : '--resume', session.id ?? ''],
        sandbox !== 'full-access' &&
          turn.mcpServers.length > 0 && ['--allowed-mcp-server-names', named(turn).join(',')],
      ),
      env: {
        // Without it a signal to the first process alone would be lost.
        GEMINI_CLI_NO_RELAUNCH: 'true',
        GEMINI_CLI_HOME: await geminiHome(turn, toolSeconds),
      },
      stdin: prompt,
    };
  },
};

/** OpenCode 1.18: it re-quotes a prompt in its arguments, so it reads it from its input. */
const opencode: CliProgram = {
  name: 'opencode',
  command: ['opencode'],
  dialect: opencodeDialect,
  capabilities: { ...oneShot, presetSession: false },
  commandLine(turn) {
    const { session, model, sandbox, prompt } = turn;
    return {
      args: words(
        ['run', '--format', 'json', '--title', 'troupe'],
        model !== undefined && ['-m', model],
        !session.isNew && ['-s', session.id ?? ''],
        sandbox === 'full-access' && '--auto',
      ),
      env: {
        OPENCODE_CONFIG_CONTENT: opencodeConfig(turn),
        OPENCODE_DISABLE_AUTOUPDATE: '1',
      },
      stdin: prompt,
    };
  },
};

/** Copilot CLI 1.0: one flag opens or resumes, and its session's id is only told at the end. */
const copilot: CliProgram = {
  name: 'copilot',
  command: ['copilot'],
  dialect: copilotDialect,
  capabilities: oneShot,
  async commandLine(turn) {
    const { session, model, sandbox, prompt, mcpServers } = turn;
    const entry = (url: string, headers: Readonly<Record<string, string>>) => ({
      type: 'http',
      url,
      headers,
      tools: ['*'],
    });
    return {
      args: words(
        ['-p', prompt, '--output-format', 'json', '--no-auto-update'],
        `${session.isNew ? '--session-id' : '--resume'}=${session.id ?? ''}`,
        model !== undefined && ['--model', model],
        mcpServers.length > 0 && ['--additional-mcp-config', `@${await mcpFile(turn, entry)}`],
        sandbox === 'full-access'
          ? '--allow-all'
          : [...named(turn), ...(sandbox === 'workspace-write' ? ['write'] : [])].map((tool) => `--allow-tool=${tool}`),
      ),
    };
  },
};

/** Qwen Code 0.24. Of its own tries only some can be bounded: a model that is overloaded for good fails it after a minute or more. */
const qwen: CliProgram = {
  name: 'qwen',
  command: ['qwen'],
  dialect: qwenDialect,
  capabilities: oneShot,
  async commandLine(turn) {
    const { session, model, sandbox, prompt, outputSchema, mcpServers } = turn;
    const modes = { 'read-only': 'default', 'workspace-write': 'auto-edit', 'full-access': 'yolo' };
    const tools = named(turn).flatMap((server) => groupTools.map((tool) => `mcp__${server}__${tool}`));
    const entry = (url: string, headers: Readonly<Record<string, string>>) => ({
      httpUrl: url,
      headers,
      trust: true,
      alwaysLoadTools: true,
      timeout: toolSeconds * 1_000,
    });
    return {
      args: words(
        ['-o', 'stream-json', '--include-partial-messages', '--approval-mode', modes[sandbox]],
        [session.isNew ? '--session-id' : '--resume', session.id ?? ''],
        model !== undefined && ['-m', model],
        mcpServers.length > 0 && ['--mcp-config', await mcpFile(turn, entry)],
        sandbox !== 'full-access' && mcpServers.length > 0 && ['--allowed-tools', tools.join(',')],
        outputSchema !== undefined && [
          '--json-schema',
          `@${await turn.file('schema.json', JSON.stringify(outputSchema))}`,
        ],
      ),
      env: await qwenDefaults(turn),
      stdin: prompt,
    };
  },
};

/** pi 0.73: no MCP, and no permissions but the list of its tools. */
const pi: CliProgram = {
  name: 'pi',
  command: ['pi'],
  dialect: piDialect,
  capabilities: { ...oneShot, presetSession: false, mcp: false },
  commandLine({ session, model, sandbox, prompt }) {
    const tools = ['read', 'grep', 'find', 'ls', ...(sandbox === 'workspace-write' ? ['edit', 'write'] : [])];
    return {
      args: words(
        ['-p', '--mode', 'json'],
        model !== undefined && ['--model', model],
        !session.isNew && ['--session', session.id ?? ''],
        sandbox !== 'full-access' && ['--tools', tools.join(',')],
        // A prompt that begins with a dash, or an at sign, would be taken for something else.
        /^[-@]/.test(prompt) ? ` ${prompt}` : prompt,
      ),
    };
  },
};

/** The table. */
export const programs: Readonly<Record<CliName, CliProgram>> = { claude, codex, copilot, gemini, opencode, pi, qwen };

/** A text in TOML: JSON's escapes are TOML's, but for the one of DEL. */
const toml = (value: string) => JSON.stringify(value).replaceAll('\u007f', String.raw`\u007f`);
