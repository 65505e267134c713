/** `troupe doctor`. */
import { dataFolder } from './data-folder.ts';
import { doctorChecks, type Check } from './doctor-checks.ts';
import { exitCodes } from './exit-codes.ts';
import { print, styleFor } from './terminal.ts';
import { column, widthOf } from './text.ts';

/** Options of `troupe doctor`. */
export interface DoctorCommandOptions {
  readonly data?: string;
  readonly json?: boolean;
}

/** Says what is there, what is missing, and how to mend it. Returns the exit code: 1 where something is broken. */
export async function doctorCommand({ data, json = false }: DoctorCommandOptions): Promise<number> {
  const checks = await doctorChecks(dataFolder(data));
  const isBroken = checks.some(({ status }) => status === 'broken');
  if (json) print(JSON.stringify({ ok: !isBroken, checks }));
  else for (const line of linesOf(checks)) print(line);
  return isBroken ? exitCodes.failed : exitCodes.ok;
}

function linesOf(checks: readonly Check[]): readonly string[] {
  const style = styleFor(process.stdout);
  const marks = { ok: style.green('✓'), missing: style.yellow('–'), broken: style.red('✗') };
  const width = Math.max(...checks.map(({ name }) => widthOf(name)));
  return checks.flatMap(({ name, status, says, mend }) => [
    `${marks[status]} ${column(name, width)}  ${says}`,
    ...(mend === undefined || status === 'ok' ? [] : [`  ${' '.repeat(width)}  ${style.cyan(mend)}`]),
  ]);
}
