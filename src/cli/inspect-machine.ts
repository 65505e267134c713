/** The viewer and a machine without a run, stepped by hand. */
import { TroupeError } from '../error.ts';
import { openRecording } from '../view/open-recording.ts';
import type { Controls } from '../view/server.ts';
import { whatIf } from '../view/what-if.ts';
import { chosenMachine } from './graph-command.ts';
import { serve } from './inspect-serve.ts';
import { loadModule } from './load-module.ts';
import { maskOf } from './mask.ts';
import { readInput } from './read-input.ts';

/** Serves a machine of a file. Codes: PROCESS_INVALID, BAD_INPUT, MACHINE_UNSUPPORTED. */
export async function inspectMachine(
  file: string,
  port: number,
  options: { readonly machine?: string; readonly input?: string; readonly mask?: string; readonly json?: boolean },
): Promise<number> {
  const mask = maskOf(options.mask);
  const { module } = await loadModule(file, 'a file that exports machines, such as machines/fan-out.ts');
  const machine = chosenMachine(module, file, options.machine);
  const input = (await readInput(options.input)) ?? null;
  let current = await whatIf(machine, input);
  let opened = openRecording(current);
  await opened.refresh();
  const does: Controls = {
    async choose({ id, value }) {
      if (typeof id !== 'string') throw new TroupeError('BAD_INPUT', 'expected a choice `id`.');
      await current.take(id, value);
      return `${id}: done`;
    },
    async back() {
      const taken = current.taken.slice(0, -1);
      await current.close();
      current = await whatIf(machine, input, taken);
      opened = openRecording(current);
      return taken.length === 0 ? 'at the beginning' : `back to after ${taken.at(-1)?.id}`;
    },
  };
  try {
    return await serve({
      json: options.json === true,
      title: `machine ${machine.id}`,
      port,
      opened: () => opened,
      choices: () => current.choices(opened.recording.last(), opened.recording.overview().charts),
      followEveryMs: 0,
      mask,
      isLive: () => true,
      does,
    });
  } finally {
    await current.close();
  }
}
