/** The agents that are known by name: how each is started, and its habits. Seen on the versions named. */
import { copilotEnd } from './copilot.ts';
import { codexModel, codexSign, codexToolName } from './codex.ts';
import { geminiToolName, geminiTranscriptAtMs } from './gemini.ts';
import type { AcpName, AcpProgram } from './habits.ts';
import { qwenUsage } from './qwen.ts';
import { type Fields, textOf } from './read.ts';

/** How each known agent is started. By default each may do only what it asks for, and use what it is given. */
export const acpPrograms: Readonly<Record<AcpName, AcpProgram>> = {
  // claude-agent-acp 0.100: has `_session/steering`. Deferred tools would hide the group's; ten retries would hide a failure for a minute.
  claude: {
    command: ['claude-agent-acp'],
    env: { ENABLE_TOOL_SEARCH: 'false', CLAUDE_CODE_MAX_RETRIES: '2' },
    habits: { tellModel: (model) => ({ env: { ANTHROPIC_MODEL: model } }), usageOf: 'turn' },
  },
  // codex-acp 2.6: see codex.ts. Has `_session/steering`; lives on when its input ends. In its default
  // mode a reviewing model decides; read-only its sandbox does, and it asks about MCP tools only.
  codex: {
    command: ['codex-acp'],
    env: { NO_BROWSER: '1', INITIAL_AGENT_MODE: 'read-only' },
    habits: {
      tellModel: codexModel,
      usageOf: 'turn',
      permissions: 'preset',
      ignoresEof: true,
      toolName: codexToolName,
      isOfServer: (tool, server) => tool.startsWith(`mcp.${server}.`),
      signOf: codexSign,
    },
  },
  // Copilot CLI 1.0.102: see copilot.ts. A tool's title is its name for MCP tools, and a model's own words for a command.
  copilot: {
    command: ['copilot', '--acp', '--no-auto-update'],
    habits: {
      tellModel: (model) => ({ env: { COPILOT_MODEL: model } }),
      signOfEnd: copilotEnd,
      toolName: nameByTitle,
      isOfServer: (tool, server) => tool.startsWith(`${server}-`),
    },
  },
  // Gemini CLI 0.61: see gemini.ts.
  gemini: {
    command: ['gemini', '--acp', '--skip-trust'],
    env: { GEMINI_CLI_NO_RELAUNCH: 'true' },
    habits: {
      authenticate: { method: 'gemini-api-key', ifSet: 'GEMINI_API_KEY' },
      tellModel: (model) => ({ args: ['-m', model] }),
      toolName: geminiToolName,
      isOfServer: (tool, server) => tool.startsWith(`mcp_${server}_`),
      transcriptAtMs: geminiTranscriptAtMs,
      tellsHistoryLate: true,
    },
  },
  // OpenCode 1.18: asks only where its rules say so; by default they allow everything. Its usage is that of a turn's last call.
  opencode: {
    command: ['opencode', 'acp'],
    env: { OPENCODE_PERMISSION: '{"*":"ask"}' },
    habits: {
      secondPrompt: 'into-turn',
      usageOf: 'turn',
      toolName: nameByTitle,
      isOfServer: (tool, server) => tool.startsWith(`${server}_`),
    },
  },
  // Qwen Code 0.24: MCP tools would come late but for this variable; in its turns it asks what was said meanwhile; usage is told per call.
  qwen: {
    command: ['qwen', '--acp', '--approval-mode', 'default'],
    env: { QWEN_CODE_LEGACY_MCP_BLOCKING: '1' },
    habits: {
      tellModel: (model) => ({ args: ['-m', model] }),
      drains: 'craft/drainMidTurnQueue',
      signOf: qwenUsage,
    },
  },
};

/** The title, where the kind says that it is no command, search or address of the model's. */
function nameByTitle(toolCall: Fields): string | undefined {
  const kind = textOf(toolCall['kind']);
  return kind === 'other' || kind === undefined ? textOf(toolCall['title']) : kind;
}
