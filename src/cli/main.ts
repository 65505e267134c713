#!/usr/bin/env node
/** The program `troupe`. */
import { CommanderError } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { watchBrokenPipe } from './interrupts.ts';
import { program } from './program.ts';
import { reportError } from './report-error.ts';
import { flushed, print } from './terminal.ts';

async function main(): Promise<number> {
  let exitCode: number = exitCodes.ok;
  try {
    await program((code) => {
      exitCode = code;
    }).parseAsync(process.argv);
    return exitCode;
  } catch (error) {
    // Help and version come this way too, with exit code 0.
    const json = process.argv.includes('--json');
    if (!(error instanceof CommanderError)) return reportError(error, json);
    if (error.exitCode === 0) return exitCodes.ok;
    // In words it has been told already.
    if (json) {
      const message = `BAD_INPUT: ${error.message.replace(/^error: /, '').replaceAll('\n', ' ')}`;
      print(JSON.stringify({ error: { code: 'BAD_INPUT', message, details: {}, exitCode: exitCodes.usage } }));
    }
    return exitCodes.usage;
  }
}

watchBrokenPipe();
const exitCode = await main();
await flushed();
// A process file may have left timers or sockets open: the run is over, and so are we.
process.exit(exitCode);
