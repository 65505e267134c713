/** The viewer and the protocol of Stately's inspector: an app to look at, and a run to be looked at by others. */
import { TroupeError } from '../error.ts';
import { statelyEvents } from '../view/export/stately.ts';
import type { OpenedRecording } from '../view/open-recording.ts';
import { windowMax } from '../view/recording.ts';
import { statelyApp } from '../view/stately-app.ts';
import { statelyDoor, type StatelyDoor, type StatelyDoorOptions } from '../view/stately-door.ts';
import { refusePort, serve } from './inspect-serve.ts';
import { maskOf, type Mask } from './mask.ts';
import { print } from './terminal.ts';

/** How often the page is told what has come, ms. */
const followEveryMs = 250;

/** Any XState app that speaks the protocol of Stately's inspector. */
export async function inspectApp(
  port: number,
  options: { readonly stately: boolean | string; readonly mask?: string; readonly json?: boolean },
): Promise<number> {
  const { stately, json = false } = options;
  const mask = maskOf(options.mask);
  const app = statelyApp('XState app');
  const door = await openDoor(stately, { take: (message) => app.take(message) });
  if (!json) print(`apps connect to ${door.url} (createWebSocketInspector of @statelyai/inspect)`);
  try {
    return await serve({
      json,
      title: 'XState app',
      port,
      opened: () => app,
      followEveryMs,
      mask,
      isLive: () => true,
      more: { stately: door.url },
    });
  } finally {
    await door.close();
  }
}

/** The protocol's own port when none is named. */
function statelyPort(given: boolean | string): number {
  const port = typeof given === 'string' ? Number(given) : 8080;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new TroupeError('BAD_INPUT', `expected --stately to be a port, 0 to 65535, got \`${given}\`.`);
  return port;
}

async function openDoor(given: boolean | string, options: Omit<StatelyDoorOptions, 'port'>): Promise<StatelyDoor> {
  const port = statelyPort(given);
  return await statelyDoor({ ...options, port }).catch(refusePort('--stately', port));
}

/** Tells a run's machines to whoever connects: what was, then what comes; what the mask takes out is not told. */
export async function tellStately(
  given: boolean | string,
  { recording }: OpenedRecording,
  mask: Mask,
): Promise<StatelyDoor & { tellMore(): Promise<void> }> {
  let told = recording.length;
  const eventsOf = async function* (from: number, to: number) {
    for (let at = from; at <= to; at += windowMax) {
      const window = await recording.window(at, Math.min(to, at + windowMax - 1));
      const { id, charts } = recording.overview();
      for (const event of statelyEvents(id, window, charts)) yield mask(event);
    }
  };
  let telling: Promise<void> | undefined;
  const more = async () => {
    while (told < recording.length) {
      const to = Math.min(recording.length, told + windowMax);
      const events: object[] = [];
      for await (const event of eventsOf(told + 1, to)) events.push(event);
      for (const event of events) door.tell(event);
      told = to;
    }
  };
  const door = await openDoor(given, { greeting: () => eventsOf(1, told) });
  return {
    ...door,
    // One after the other, each from where the last one ended; what could not be read is told by the next.
    tellMore() {
      telling ??= more()
        .catch(() => {})
        .finally(() => (telling = undefined));
      return telling;
    },
  };
}
