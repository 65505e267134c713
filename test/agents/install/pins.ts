/** The agent CLIs that are tested with: exact versions, so that a release of theirs changes nothing here by itself. */

/** One CLI. */
export interface Pin {
  /** Name of the agent, as in `TROUPE_AGENTS`. */
  readonly name: AgentName;
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

/** The table. */
export const pins: readonly Pin[] = [
  pin('claude', '@anthropic-ai/claude-code', '2.1.330', 364, true),
  pin('codex', '@openai/codex', '0.169.0', 404, true),
  pin('gemini', '@google/gemini-cli', '0.61.0', 100, true),
  pin('opencode', 'opencode-ai', '1.18.33', 354, false),
  pin('qwen', '@qwen-code/qwen-code', '0.24.4', 152, false),
  pin('copilot', '@github/copilot', '1.0.102', 189, false),
];

function pin(name: AgentName, npmName: string, version: string, megabytes: number, isMain: boolean): Pin {
  return { name, package: npmName, version, program: name, megabytes, isMain };
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
