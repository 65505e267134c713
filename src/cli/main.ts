#!/usr/bin/env node
/** The program `troupe`. */
import { CommanderError } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { watchBrokenPipe } from './interrupts.ts';
import { program } from './program.ts';
import { reportError } from './report-error.ts';
import { flushed } from './terminal.ts';

async function main(): Promise<number> {
  let exitCode: number = exitCodes.ok;
  try {
    await program((code) => {
      exitCode = code;
    }).parseAsync(process.argv);
    return exitCode;
  } catch (error) {
    // Help and version come this way too, with exit code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    return reportError(error, process.argv.includes('--json'));
  }
}

watchBrokenPipe();
const exitCode = await main();
await flushed();
// A process file may have left timers or sockets open: the run is over, and so are we.
process.exit(exitCode);
