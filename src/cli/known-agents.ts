/** Agent CLIs that are known by name: what their programs are called, and how to install the version that was tested. */
import type { CliName } from '../harness/agent/cli/programs.ts';

/** One of them. */
export interface KnownAgent {
  readonly name: CliName;
  /** Its program on the PATH. */
  readonly program: string;
  /** Its package on npm. */
  readonly package: string;
  /** The version that `npm run test:agents` runs. */
  readonly version: string;
  /** What an installation needs that this program's does not. */
  readonly note?: string;
}

const nodeNote = 'install it with npm on Node >= 22: an older one silently takes an older version';

/** In the order of their names. */
export const knownAgents: readonly KnownAgent[] = [
  { name: 'claude', program: 'claude', package: '@anthropic-ai/claude-code', version: '2.1.330', note: nodeNote },
  { name: 'codex', program: 'codex', package: '@openai/codex', version: '0.169.0' },
  { name: 'copilot', program: 'copilot', package: '@github/copilot', version: '1.0.102' },
  { name: 'gemini', program: 'gemini', package: '@google/gemini-cli', version: '0.61.0' },
  { name: 'opencode', program: 'opencode', package: 'opencode-ai', version: '1.18.33' },
  { name: 'pi', program: 'pi', package: '@mariozechner/pi-coding-agent', version: '0.73.1' },
  { name: 'qwen', program: 'qwen', package: '@qwen-code/qwen-code', version: '0.24.4', note: nodeNote },
];

/** What to type to install it. */
export function installCommand({ package: name, version }: KnownAgent): string {
  return `npm install --global ${name}@${version}`;
}
