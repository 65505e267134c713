/** `troupe check`: explores the models that a file exports, and shows what does not hold. */
import { check, type Progress } from '../check/check.ts';
import { isModel, type Model } from '../check/checkable.ts';
import { writeCounterexample } from '../check/counterexample.ts';
import { diagramOf } from '../check/diagram.ts';
import { isProtocol, type Protocol } from '../check/protocol.ts';
import type { CheckResult, Violation } from '../check/result.ts';
import { isTroupeError, TroupeError } from '../error.ts';
import { dataFolder, type DataFolder } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import { loadModule, type Module } from './load-module.ts';
import { isPaintable, print, styleFor, type Style } from './terminal.ts';
import { grouped } from './text.ts';

/** Options of `troupe check`. */
export interface CheckCommandOptions {
  /** Name of a model, or of the export that it is. */
  readonly model?: string;
  readonly maxStates?: string;
  readonly maxSeconds?: string;
  /** Go on after the first violation. */
  readonly all?: boolean;
  /** Shows the first counterexample in the viewer, until interrupted. */
  readonly open?: boolean;
  readonly data?: string;
  readonly json?: boolean;
}

/**
 * Checks every model of a file. A counterexample of a protocol is written as a run. Returns the exit code: ok only when everything
 * was looked at and holds. Codes: PROCESS_INVALID, BAD_INPUT.
 */
export async function checkCommand(given: string, options: CheckCommandOptions): Promise<number> {
  const { file, module } = await loadModule(given, 'a file that exports protocols or models, such as council.check.ts');
  const models = chosenModels(module, given, options.model);
  const data = dataFolder(options.data);
  const style = styleFor(process.stdout);
  let isProven = true;
  let first: string | undefined;
  for (const model of models) {
    const result = await check(model, {
      ...numberOption('maxStates', options.maxStates),
      ...numberOption('maxSeconds', options.maxSeconds),
      stopAt: options.all === true ? 'never' : 'first',
      ...(isPaintable(process.stderr) && options.json !== true
        ? { onProgress: (progress) => tell(model, progress) }
        : {}),
    });
    if (isPaintable(process.stderr) && options.json !== true) process.stderr.write('\r\u001b[K');
    const runs = await written(model, result, data, file);
    if (result.verdict !== 'verified') isProven = false;
    first ??= Object.values(runs)[0];
    if (options.json === true) print(JSON.stringify({ ...result, runs }));
    else show(model, result, { runs, data, style });
  }
  if (options.open === true && first !== undefined) {
    const { inspectCommand } = await import('./inspect-command.ts');
    const more = { ...(options.data === undefined ? {} : { data: options.data }), json: options.json === true };
    await inspectCommand(first, { port: '0', ...more });
  }
  return isProven ? exitCodes.ok : exitCodes.failed;
}

function chosenModels(module: Module, file: string, name: string | undefined): readonly Model<unknown>[] {
  const found = new Map<Model<unknown>, string>();
  for (const [exported, value] of Object.entries(module)) {
    for (const one of Array.isArray(value) ? (value as readonly unknown[]) : [value])
      if (isModel(one) && !found.has(one)) found.set(one, exported);
  }
  if (found.size === 0) {
    throw new TroupeError(
      'BAD_INPUT',
      `${file} exports no model; expected one made by protocol({…}) or model({…}) of troupe/check, as the default export.`,
    );
  }
  const meant = [...found].filter(
    ([model, exported]) => name === undefined || name === model.name || name === exported,
  );
  if (meant.length === 0) {
    const names = [...found].map(([model, exported]) => (exported === 'default' ? model.name : exported));
    throw new TroupeError('BAD_INPUT', `${file} has no model \`${name}\`; it has ${names.join(', ')}.`);
  }
  return meant.map(([model]) => model);
}

function numberOption(name: 'maxSeconds' | 'maxStates', text: string | undefined): { readonly [name: string]: number } {
  if (text === undefined) return {};
  const value = Number(text);
  if (!(value > 0))
    throw new TroupeError(
      'BAD_INPUT',
      `expected --${name === 'maxStates' ? 'max-states' : 'max-seconds'} to be a number > 0, got \`${text}\`.`,
    );
  return { [name]: value };
}

function tell(model: Model<unknown>, { distinct, expanded, ms }: Progress): void {
  const waiting = distinct - expanded;
  process.stderr.write(
    `\r\u001b[K  ${model.name}: ${grouped(distinct)} states, ${grouped(waiting)} to look at, ${Math.round(ms / 1_000)} s`,
  );
}

/** Writes each trace of a protocol as a run; by property. */
async function written(
  model: Model<unknown>,
  { violations }: CheckResult,
  data: DataFolder,
  file: string,
): Promise<{ readonly [property: string]: string }> {
  const runs: Record<string, string> = {};
  if (!isProtocol(model)) return runs;
  for (const violation of violations) {
    if (violation.trace === undefined) continue;
    runs[violation.property] = await writtenAs(model, violation, data, file);
  }
  return runs;
}

async function writtenAs(model: Protocol, violation: Violation, data: DataFolder, file: string): Promise<string> {
  const base = `check-${model.name}-${violation.property}`.replaceAll(/[^\w.-]+/g, '-').slice(0, 100);
  for (let number = 1; ; number += 1) {
    try {
      const options = { store: data.store, run: `${base}-${number}`, file: data.recorded(file) };
      return (await writeCounterexample(model, violation, options)).run;
    } catch (error) {
      if (!isTroupeError(error, 'RUN_EXISTS')) throw error;
    }
  }
}

interface Shown {
  readonly runs: { readonly [property: string]: string };
  readonly data: DataFolder;
  readonly style: Style;
}

function show(model: Model<unknown>, result: CheckResult, { runs, data, style }: Shown): void {
  const { verdict, distinct, generated, depth, bounds, violations, cutBy, unjudged, stats } = result;
  const mark = verdict === 'verified' ? style.green('✓') : verdict === 'violated' ? style.red('✗') : style.yellow('?');
  print(`${mark} ${style.bold(model.name)}: ${verdict}`);
  const abstracted = [
    ...(result.viewUsed ? ['told apart by a view'] : []),
    ...(result.symmetryUsed ? ['up to symmetry'] : []),
  ];
  print(
    `  ${grouped(distinct)} states${abstracted.length === 0 ? '' : ` (${abstracted.join(', ')})`}, ${grouped(generated)} transitions, ${grouped(depth)} levels in ${(stats.ms / 1_000).toFixed(1)} s`,
  );
  print(`  within: ${bounds}`);
  if (verdict === 'incomplete') print(`  cut short by ${cutBy ?? ''}: nothing wrong was found, and nothing is proven`);
  if (unjudged.length > 0 && cutBy !== 'violation') print(`  not judged: ${unjudged.join(', ')}`);
  for (const [machine, { unvisited }] of Object.entries(stats.coverage))
    if (verdict === 'verified' && unvisited.length > 0) print(`  never active in ${machine}: ${unvisited.join(', ')}`);
  for (const { property, message, trace } of violations) {
    print();
    print(`${style.red('✗')} ${style.bold(property)}: ${message}`);
    if (trace === undefined) continue;
    print();
    for (const line of diagramOf(trace, model.lanes).split('\n')) print(`  ${line}`);
    const run = runs[property];
    if (run === undefined) continue;
    print();
    print(`  it is run ${run}: troupe log ${run}${data.flag}, troupe verify ${run}${data.flag}`);
  }
}
