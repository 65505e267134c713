/** `troupe approve`: answers a gate, of a run that a living host drives by a letter to it, of any other by an entry. */
import { dataFolder } from './data-folder.ts';
import { answerRun } from './deeds.ts';
import { exitCodes } from './exit-codes.ts';
import { complain, print } from './terminal.ts';
import { nameText } from './text.ts';

/** Options of `troupe approve`. */
export interface ApproveCommandOptions {
  readonly group?: string;
  readonly reject?: boolean;
  readonly note: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** Answers a gate. Returns the exit code: 0 when the answer is recorded, 3 when the run's host does not take it. */
export async function approveCommand(run: string, name: string, options: ApproveCommandOptions): Promise<number> {
  const { reject = false, note, json = false } = options;
  const data = dataFolder(options.data);
  const given = { gate: name, group: options.group, approved: !reject, note };
  const { gate, asked } = await answerRun(data, run, given);
  const { group, question } = gate;
  const { by, holder } = asked;
  const word = reject ? 'rejected' : 'approved';
  const whose = group === undefined ? '' : ` of group ${group}`;
  if (by === 'waiting') {
    if (json)
      print(
        JSON.stringify({
          run: { id: run },
          gate: { name, group: group ?? null, approved: !reject },
          status: 'waiting',
        }),
      );
    else complain(`the answer waits: ${holder} drives run ${run}, and has not taken it yet.`);
    return exitCodes.busy;
  }
  if (json)
    print(
      JSON.stringify({
        run: { id: run },
        gate: { name, group: group ?? null, approved: !reject, note },
        status: 'recorded',
        drivenBy: by === 'host' ? holder : null,
      }),
    );
  else
    print(
      `${nameText(`${word}: ${name}${whose}, “${question}”`)}${by === 'host' ? '' : `; nobody drives run ${run}: go on with npx troupe resume ${run}${data.flag}`}`,
    );
  return exitCodes.ok;
}
