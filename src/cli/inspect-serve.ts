/** Serving the viewer's page until the program is interrupted. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { TroupeError } from '../error.ts';
import { viewServer, type Controls, type ViewServerOptions } from '../view/server.ts';
import { exitCodes } from './exit-codes.ts';
import { print, styleFor } from './terminal.ts';

/** What is served, and how that is told. */
export type Serving = Pick<
  ViewServerOptions,
  'choices' | 'differences' | 'followEveryMs' | 'isLive' | 'mask' | 'opened' | 'port' | 'title'
> & {
  readonly json: boolean;
  readonly does?: Controls;
  /** It may be asked to do something, with --allow-control. */
  readonly isControllable?: boolean;
  /** Told besides, with --json. */
  readonly more?: object;
};

/** Serves until the program is interrupted. */
export async function serve({ does, isControllable, json, more = {}, ...options }: Serving): Promise<number> {
  // From here on: whoever reads the address may end it at once.
  const interrupted = Promise.race((['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => once(process, signal)));
  const [page, policy] = await Promise.all(['page.html', 'policy.txt'].map(partOfPage));
  const token = does === undefined ? undefined : randomBytes(24).toString('base64url');
  const server = await viewServer({
    ...options,
    page: page ?? '',
    policy: policy ?? '',
    ...(token === undefined || does === undefined ? {} : { control: { token, does } }),
  }).catch(refusePort('--port', options.port));
  const url = token === undefined ? server.url : `${server.url}#token=${token}`;
  const entries = options.opened().recording.length;
  if (json) print(JSON.stringify({ title: options.title, url, entries, ...more }));
  else {
    const style = styleFor(process.stdout);
    print(`${style.bold(options.title)} · ${entries} entries · ${style.cyan(url)}`);
    print(
      does !== undefined
        ? 'Ctrl-C ends it'
        : `it only looks${isControllable === true ? ' (--allow-control to do something to the run)' : ''}; Ctrl-C ends it`,
    );
  }
  await interrupted;
  await server.close();
  return exitCodes.ok;
}

/** Throws what came of a port that cannot be had as a mistake in `option`, and anything else as it is. */
export const refusePort = (option: string, port: number) => (error: unknown) => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
  throw new TroupeError('BAD_INPUT', `expected ${option} to be a free port, got ${port}: ${message}.`, {}, error);
};

/** A part of the page, which is built beside the program. */
export const partOfPage = (name: string) => readFile(new URL(`../view/${name}`, import.meta.url), 'utf8');
