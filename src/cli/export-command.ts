/** `troupe export`: a run for other tools. */
import { once } from 'node:events';
import { TroupeError } from '../error.ts';
import type { Process } from '../process/define-process.ts';
import { chromeTrace } from '../view/export/chrome-trace.ts';
import { mermaidSequence } from '../view/export/mermaid.ts';
import { otlp } from '../view/export/otlp.ts';
import { shiviz } from '../view/export/shiviz.ts';
import { statelyEvents } from '../view/export/stately.ts';
import type { Chart } from '../view/chart.ts';
import { isJudgement } from '../view/judged.ts';
import type { Frame } from '../view/model.ts';
import { openRecording, type OpenedRecording } from '../view/open-recording.ts';
import { windowMax } from '../view/recording.ts';
import { captureConsole } from './capture-console.ts';
import { dataFolder } from './data-folder.ts';
import { drawChart } from './draw-chart.ts';
import { exitCodes } from './exit-codes.ts';
import { knownRun } from './known-run.ts';
import { loadRecorded } from './load-recorded.ts';
import { maskOf, type Mask } from './mask.ts';
import { outFile } from './out-file.ts';

/** Options of `troupe export`. */
export interface ExportCommandOptions {
  readonly as: string;
  readonly out?: string;
  readonly group?: string;
  readonly at?: string;
  /** A regular expression: what matches is not written. */
  readonly mask?: string;
  readonly file?: string;
  readonly data?: string;
}

/** Formats, and what each is for. */
export const exportFormats = {
  mermaid: 'a sequence diagram',
  svg: 'the statechart of a group at a position',
  shiviz: 'a log for ShiViz',
  chrome: 'a trace for Perfetto and chrome://tracing',
  otlp: 'OpenTelemetry spans as OTLP JSON',
  stately: "lines of Stately's inspection protocol",
} as const;

/** Writes a run in another format. Returns the exit code. */
export async function exportCommand(run: string, options: ExportCommandOptions): Promise<number> {
  const { as } = options;
  if (!Object.hasOwn(exportFormats, as))
    throw new TroupeError('BAD_INPUT', `expected --as ${Object.keys(exportFormats).join(', ')}, got \`${as}\`.`);
  const data = dataFolder(options.data);
  const { view } = await knownRun(data.store, run);
  let definition: Process<never, unknown> | undefined;
  try {
    ({ process: definition } = await loadRecorded(data, view, options.file));
  } catch (error) {
    if (options.file !== undefined || as === 'svg') throw error;
  }
  const journal = await data.store.open(run);
  const release = captureConsole(() => {});
  const out = options.out === undefined ? undefined : outFile(options.out);
  const write = async (text: string) => {
    if (out !== undefined) await out.write(text);
    else if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  };
  try {
    const opened = openRecording({ journal, process: definition });
    await opened.refresh();
    release();
    await writeAs(as as keyof typeof exportFormats, opened, options, write);
  } finally {
    release();
    await out?.close();
    await journal.close();
  }
  return exitCodes.ok;
}

async function writeAs(
  as: keyof typeof exportFormats,
  { recording }: OpenedRecording,
  { group: name, at, mask: pattern }: ExportCommandOptions,
  write: (text: string) => Promise<void>,
): Promise<void> {
  const mask = maskOf(pattern);
  const { length } = recording;
  const { id, charts } = recording.overview();
  if (as === 'stately') {
    await write('');
    for (let from = 1; from <= length; from += windowMax) {
      const window = await recording.window(from, Math.min(length, from + windowMax - 1));
      for (const event of statelyEvents(id, window, charts)) await write(`${JSON.stringify(mask(event))}\n`);
    }
    return;
  }
  if (as === 'svg') {
    const position = at === undefined ? length : Number(at);
    if (!Number.isInteger(position) || position < 0)
      throw new TroupeError(
        'BAD_INPUT',
        `expected --at to be a position such as 42 (see: troupe log ${id}), got \`${at ?? ''}\`.`,
      );
    const state = await recording.stateAt(position);
    const groups = Object.values(state.groups);
    const group = name === undefined ? groups[0] : groups.find((one) => one.name === name);
    const actor = group?.actors[''];
    const chart = charts[actor?.chart ?? ''];
    if (actor === undefined || chart === undefined)
      throw new TroupeError(
        'UNKNOWN_GROUP',
        `run ${id} has no group \`${name ?? ''}\` with a machine there; groups: ${groups.map((one) => one.name).join(', ') || 'none'}.`,
      );
    await write(await drawChart(maskedChart(chart, mask), actor));
    return;
  }
  const frames: Frame[] = [];
  for (let from = 1; from <= length; from += windowMax) {
    // What changed is not exported: frames of a large run are light without it.
    for (const frame of (await recording.window(from, Math.min(length, from + windowMax - 1))).frames)
      if (!isJudgement(frame)) frames.push(mask({ ...frame, patches: [], inverse: [] }));
  }
  const text = {
    mermaid: () => mermaidSequence(frames),
    shiviz: () => shiviz(frames),
    chrome: () => `${JSON.stringify(chromeTrace(frames))}\n`,
    otlp: () => `${JSON.stringify(otlp(mask(id), frames))}\n`,
  }[as]();
  await write(text);
}

/** The chart with what is written into its drawing masked. Ids are not written, and tell its parts apart. */
function maskedChart({ nodes, transitions, ...chart }: Chart, mask: Mask): Chart {
  return {
    ...chart,
    nodes: nodes.map(({ key, entry, exit, invokes, tags, description, ...node }) => ({
      ...node,
      key: mask(key),
      entry: mask(entry),
      exit: mask(exit),
      invokes: mask(invokes),
      tags: mask(tags),
      description: mask(description),
    })),
    transitions: transitions.map(({ event, label, guard, actions, ...transition }) => ({
      ...transition,
      event: mask(event),
      label: mask(label),
      guard: mask(guard),
      actions: mask(actions),
    })),
  };
}
