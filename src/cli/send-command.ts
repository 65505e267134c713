/** `troupe send`: to a run that a living host drives by a letter to it, to any other by an entry that its next host hears. */
import { TroupeError } from '../error.ts';
import type { DeliveryMode } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import { dataFolder } from './data-folder.ts';
import { sendToRun } from './deeds.ts';
import { exitCodes } from './exit-codes.ts';
import { inexactIn, inexactText } from './inexact.ts';
import { complain, print } from './terminal.ts';

/** Options of `troupe send`. */
export interface SendCommandOptions {
  readonly type: string;
  readonly mode?: DeliveryMode;
  readonly id?: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** Sends `[run, group, to, body]`. Returns the exit code: 0 when the message is recorded, 3 when the run's host does not answer. */
export async function sendCommand(args: readonly string[], options: SendCommandOptions): Promise<number> {
  const [run = '', group = '', to = '', text = ''] = args;
  const { type, mode, json = false } = options;
  const data = dataFolder(options.data);
  const { id, asked } = await sendToRun(data, run, { group, to, type, body: bodyOf(text), mode, id: options.id });
  const { by, holder } = asked;
  const what = `message \`${type}\` to ${to} in group ${group}`;
  if (by === 'waiting') {
    const sentence = `${what} waits: ${holder} drives run ${run}, and has not taken it yet.`;
    if (json) print(JSON.stringify({ run: { id: run }, message: { id, group, to, type }, status: 'waiting' }));
    else complain(sentence);
    return exitCodes.busy;
  }
  if (json)
    print(
      JSON.stringify({
        run: { id: run },
        message: { id, group, to, type },
        status: 'recorded',
        drivenBy: by === 'host' ? holder : null,
      }),
    );
  else
    print(
      by === 'host'
        ? `${what} is recorded; ${holder} drives run ${run}`
        : `${what} is recorded; nobody drives run ${run}: it is heard after npx troupe resume ${run}${data.flag}`,
    );
  return exitCodes.ok;
}

/** JSON if it is JSON, else the text itself; so is a whole number that would be changed by being one. */
function bodyOf(text: string): JsonValue {
  let body: JsonValue;
  try {
    body = JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
  const inexact = inexactIn(text);
  if (inexact === undefined) return body;
  if (typeof body === 'number') return text;
  throw new TroupeError('BAD_INPUT', `message: ${inexactText(inexact)}.`);
}
