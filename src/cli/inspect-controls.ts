/** What the viewer's page may do to a run: the same that `troupe send`, `approve`, `cancel`, `fork` and `retry` do. */
import { TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import { cancelRun } from '../process/cancel.ts';
import { forkRun } from '../process/fork.ts';
import { retryRun } from '../process/retry.ts';
import type { Controls } from '../view/server.ts';
import { askHost, type Asked } from './ask-host.ts';
import type { DataFolder } from './data-folder.ts';
import { harnessesOf } from './cancel-command.ts';
import { answerRun, sendToRun } from './deeds.ts';
import { knownRun } from './known-run.ts';

type Given = Readonly<Record<string, JsonValue>>;

/** A text of the request. Codes: BAD_INPUT. */
function textOf(given: Given, name: string, fallback?: string): string {
  const value = given[name] ?? fallback;
  if (typeof value !== 'string')
    throw new TroupeError('BAD_INPUT', `expected a text \`${name}\`, got ${JSON.stringify(value)}.`);
  return value;
}

const modes = ['interrupt', 'queue', 'steer'] as const;
const said = ({ by, holder }: Asked, what: string) =>
  by === 'waiting' ? `${what} waits: ${holder} has not taken it yet` : `${what} is recorded`;

/** The controls of one run. */
export function inspectControls(data: DataFolder, run: string): Controls {
  const { store } = data;
  const viewOf = async () => (await knownRun(store, run)).view;
  return {
    async send(given) {
      const group = textOf(given, 'group');
      const to = textOf(given, 'to');
      const type = textOf(given, 'type', 'message');
      const mode = modes.find((one) => one === textOf(given, 'mode', 'queue'));
      if (mode === undefined)
        throw new TroupeError(
          'BAD_INPUT',
          `expected mode ${modes.join(', ')}, got \`${JSON.stringify(given['mode'])}\`.`,
        );
      const { asked } = await sendToRun(data, run, { group, to, type, body: given['body'] ?? null, mode });
      return said(asked, `message to ${to} in group ${group}`);
    },
    async approve(given) {
      const gate = textOf(given, 'gate');
      const group = given['group'] === undefined ? undefined : textOf(given, 'group');
      const approved = given['approved'] === true;
      const { asked } = await answerRun(data, run, { gate, group, approved, note: textOf(given, 'note', '') });
      return said(asked, `${approved ? 'approval' : 'rejection'} of ${gate}`);
    },
    async cancel(given) {
      const reason = textOf(given, 'reason', 'cancelled in the viewer');
      const harnesses = await harnessesOf(data, await viewOf());
      const asked = await askHost(data, run, { type: 'cancel', reason }, () =>
        cancelRun({ store, run, reason, harnesses }),
      );
      return said(asked, 'cancellation');
    },
    async fork(given) {
      const at = given['at'];
      if (typeof at !== 'number')
        throw new TroupeError('BAD_INPUT', `expected a position \`at\`, got ${JSON.stringify(at)}.`);
      const fork = await forkRun({ store, from: run, at });
      return `run ${fork.as} has the first ${fork.entries} entries; npx troupe resume ${fork.as}${data.flag}`;
    },
    async retry(given) {
      const names = given['group'] === undefined ? {} : { group: textOf(given, 'group') };
      const retry = await retryRun({ store, run, member: textOf(given, 'member'), ...names });
      return `run ${retry.as} tries it once more; npx troupe resume ${retry.as}${data.flag}`;
    },
  };
}
