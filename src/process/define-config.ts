/** The configuration of a project: who performs what, and within which bounds. */
import { checkConfig } from './check-config.ts';
import type { Config } from './config.ts';

/** Declares the configuration: the default export of `troupe.config.ts`. Codes: CONFIG_INVALID, one sentence about the field that is wrong. */
export function defineConfig(config: Config): Config {
  return checkConfig(config, 'defineConfig');
}
