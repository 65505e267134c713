/** `troupe graph`: the machines of a file, as a picture or as data. */
import type { AnyStateMachine } from 'xstate';
import { TroupeError } from '../error.ts';
import { isMachine } from '../group/kind.ts';
import { versionOf } from '../group/version.ts';
import { chartOf, type Chart } from '../view/chart.ts';
import { mermaidState } from '../view/export/mermaid.ts';
import { drawChart } from './draw-chart.ts';
import { exitCodes } from './exit-codes.ts';
import { loadModule, type Module } from './load-module.ts';
import { writeOut } from './out-file.ts';
import { print } from './terminal.ts';

/** Options of `troupe graph`. */
export interface GraphCommandOptions {
  readonly machine?: string;
  readonly mermaid?: boolean;
  readonly svg?: boolean;
  readonly json?: boolean;
  readonly out?: string;
}

/** Prints the machine of a file; `--machine` chooses by export or id. Returns the exit code. Codes: PROCESS_INVALID, BAD_INPUT. */
export async function graphCommand(file: string, options: GraphCommandOptions): Promise<number> {
  const { machine: name, mermaid = false, svg = false, json = false, out } = options;
  if ([mermaid, svg, json].filter(Boolean).length > 1)
    throw new TroupeError('BAD_INPUT', 'expected one of --mermaid, --svg and --json, got several.');
  const { module } = await loadModule(file, 'a file that exports machines, such as machines/fan-out.ts');
  const machine = chosenMachine(module, file, name);
  const chart = chartOf(machine, versionOf(machine));
  const text = svg ? await drawChart(chart) : json ? `${JSON.stringify(chart)}\n` : mermaidState(chart);
  if (out === undefined) process.stdout.write(text);
  else {
    await writeOut(out, text);
    print(`machine ${machine.id}: ${sizeOf(chart)} in ${out}`);
  }
  return exitCodes.ok;
}

const sizeOf = ({ nodes, transitions }: Chart) => `${nodes.length} states, ${transitions.length} transitions`;

/** The machine that `name` means among a module's exports: by its export or its id; the only one when none is named. */
export function chosenMachine(module: Module, file: string, name: string | undefined): AnyStateMachine {
  // One machine may be exported twice, by name and by default.
  const machines = new Map<AnyStateMachine, string>();
  for (const [exported, value] of Object.entries(module)) if (isMachineValue(value)) machines.set(value, exported);
  const names = [...machines].map(([{ id }, exported]) => (exported === id ? id : `${exported} (${id})`));
  if (machines.size === 0)
    throw new TroupeError('BAD_INPUT', `${file} exports no machine; expected one made by setup(…).createMachine(…).`);
  const meant = [...machines].filter(([{ id }, exported]) => name === undefined || name === exported || name === id);
  const [first, second] = meant;
  if (first === undefined || second !== undefined) {
    const trouble = first === undefined ? `has no machine \`${name}\`` : `exports ${machines.size} machines`;
    throw new TroupeError('BAD_INPUT', `${file} ${trouble}. Choose one by --machine: ${names.join(', ')}.`);
  }
  return first[0];
}

const isMachineValue = (value: unknown): value is AnyStateMachine =>
  typeof value === 'object' && value !== null && 'transition' in value && isMachine(value as AnyStateMachine);
