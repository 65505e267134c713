/** How a fake agent is started as a program. */
import { testProgram } from '../../../../support/programs.ts';

/** Program and arguments. */
export const fakeCommand: readonly string[] = [process.execPath, testProgram('acp-agent')];
