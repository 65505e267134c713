/** How each agent CLI is told to talk to the mock model instead of its vendor: variables, and files in its home. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AgentName } from '../install/pins.ts';

/** What makes one agent talk to the mock model. */
export interface Reach {
  readonly env: Readonly<Record<string, string>>;
  /** Name of the model. */
  readonly model: string;
}

/** The key that agents show the mock model unless a test plants another. */
export const mockKey = 'mock-key-of-the-tests';

/** Writes into `home` what the agent reads there, and says the rest. */
export function reach(name: AgentName, url: string, home: string, key = mockKey): Reach {
  const model = 'mock';
  switch (name) {
    case 'claude':
      return {
        env: {
          ANTHROPIC_BASE_URL: url,
          ANTHROPIC_API_KEY: key,
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
          DISABLE_AUTOUPDATER: '1',
          // As uid 0 it would refuse to skip permissions.
          IS_SANDBOX: '1',
        },
        model,
      };
    case 'codex':
      write(join(home, '.codex/config.toml'), codexSettings(url));
      return { env: { MOCK_KEY: key }, model };
    case 'gemini':
      writeJson(join(home, '.gemini/settings.json'), {
        security: { auth: { selectedType: 'gemini-api-key' } },
        privacy: { usageStatisticsEnabled: false },
        general: { disableAutoUpdate: true },
      });
      return {
        env: {
          GEMINI_API_KEY: key,
          GEMINI_MODEL: model,
          GOOGLE_GEMINI_BASE_URL: url,
          GEMINI_CLI_NO_RELAUNCH: 'true',
          GEMINI_CLI_TRUST_WORKSPACE: 'true',
        },
        model,
      };
    case 'opencode': {
      const limits = { tool_call: true, limit: { context: 100_000, output: 8_000 }, cost: { input: 1, output: 1 } };
      const options = { baseURL: `${url}/v1`, apiKey: key };
      const config = {
        autoupdate: false,
        share: 'disabled',
        model: `mock/${model}`,
        small_model: `mock/${model}`,
        provider: { mock: { npm: '@ai-sdk/openai-compatible', options, models: { [model]: limits } } },
      };
      return {
        env: {
          OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
          OPENCODE_DISABLE_AUTOUPDATE: '1',
          OPENCODE_DISABLE_MODELS_FETCH: '1',
          OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
          OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
        },
        model: `mock/${model}`,
      };
    }
    case 'qwen':
      writeJson(join(home, '.qwen/settings.json'), { security: { auth: { selectedType: 'openai' } } });
      return {
        env: {
          OPENAI_API_KEY: key,
          OPENAI_BASE_URL: `${url}/v1`,
          OPENAI_MODEL: model,
          QWEN_CODE_SUPPRESS_YOLO_WARNING: '1',
        },
        model,
      };
    case 'copilot':
      return {
        env: {
          COPILOT_OFFLINE: 'true',
          COPILOT_PROVIDER_BASE_URL: `${url}/v1`,
          COPILOT_PROVIDER_API_KEY: key,
          COPILOT_MODEL: model,
        },
        model,
      };
  }
}

/** Without the last two its end would wait for the network. */
function codexSettings(url: string): string {
  return `
    model = "mock"
    model_provider = "mock"
    check_for_update_on_startup = false
    [model_providers.mock]
    name = "mock"
    base_url = ${JSON.stringify(`${url}/v1`)}
    env_key = "MOCK_KEY"
    wire_api = "responses"
    "requires_openai_auth" = false
    [analytics]
    enabled = false
    [features]
    plugins = false
    apps = false
  `;
}

function writeJson(path: string, content: object): void {
  write(path, JSON.stringify(content));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
