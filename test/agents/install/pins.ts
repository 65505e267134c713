/** The agent CLIs that are tested with: exact versions, so that a release of theirs changes nothing here by itself. */

/** One program. */
export interface Pin {
  /** As in `TROUPE_AGENTS`. */
  readonly name: string;
  readonly agent: AgentName;
  /** How it is spoken to: headless turns by its own command line, or the Agent Client Protocol. */
  readonly speaks: readonly Speech[];
  readonly package: string;
  readonly version: string;
  /** Its program, in `node_modules/.bin`. */
  readonly program: string;
  /** What it takes on disk, MB. */
  readonly megabytes: number;
  /** Tested by default; the others when `TROUPE_AGENTS` names them, or says `all`. */
  readonly isMain: boolean;
}

/** Agents that can be tested with. */
export type AgentName = 'claude' | 'codex' | 'copilot' | 'gemini' | 'opencode' | 'qwen';

/** Ways of speaking to one. */
export type Speech = 'acp' | 'cli';

/** The table; earlier ones are found first where two have a program of the same name. */
export const pins: readonly Pin[] = [
  { ...pin('claude', '@anthropic-ai/claude-code', '2.1.330', 364), isMain: true, speaks: ['cli'] },
  { ...pin('codex', '@openai/codex', '0.169.0', 404), isMain: true, speaks: ['cli'] },
  { ...pin('gemini', '@google/gemini-cli', '0.61.0', 100), isMain: true },
  pin('opencode', 'opencode-ai', '1.18.33', 354),
  pin('qwen', '@qwen-code/qwen-code', '0.24.4', 152),
  pin('copilot', '@github/copilot', '1.0.102', 189),
  acpPin('claude', '@agentclientprotocol/claude-agent-acp', '0.100.0', 391, 'claude-agent-acp'),
  acpPin('codex', '@agentclientprotocol/codex-acp', '2.6.0', 457, 'codex-acp'),
];

function pin(agent: AgentName, npmName: string, version: string, megabytes: number): Pin {
  const about = { name: agent, agent, program: agent, speaks: ['cli', 'acp'], isMain: false } as const;
  return { ...about, package: npmName, version, megabytes };
}

/** A vendor's agent that speaks ACP by a program of its own. */
function acpPin(agent: AgentName, npmName: string, version: string, megabytes: number, program: string): Pin {
  return { ...pin(agent, npmName, version, megabytes), name: `${agent}-acp`, program, speaks: ['acp'] };
}

/** The pins that `wanted` asks for: `all`, or names with commas; default the main ones. Throws on a name that is not there. */
export function pinsOf(wanted: string | undefined): readonly Pin[] {
  if (wanted === undefined || wanted === '') return pins.filter(({ isMain }) => isMain);
  if (wanted === 'all') return pins;
  return wanted.split(',').map((name) => {
    const found = pins.find((one) => one.name === name.trim());
    if (found !== undefined) return found;
    throw new Error(`TROUPE_AGENTS: expected all, or of ${pins.map((one) => one.name).join(', ')}; got \`${name}\``);
  });
}
