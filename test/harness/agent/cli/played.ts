/** The playing program as a harness, and what is left of it. */
import { cli, type CliOptions, type Harness } from '../../../../src/harness/index.ts';
import { testProgram } from '../../../support/programs.ts';

/** Command of the program. */
export const playing = (mode: string) => [process.execPath, testProgram('cli-play'), mode, '{session}', '{mcp}'];

/** A harness of it: told of the mailbox by a file, resumed by its session's id. */
export function played(options: CliOptions = {}): Harness {
  return cli(
    { name: 'play', command: playing('new'), resume: playing('resume') },
    { briefing: false, mailbox: 'none', exitMs: 300, graceMs: { interrupt: 300, terminate: 300 }, ...options },
  );
}

/** A prompt. */
export const steps = (...list: readonly object[]): string => JSON.stringify(list);
