/** Where the page has a run from: the server it came from, or the file it stands in. */
import type { Entry } from '../../journal/port.ts';
import type { Divergence } from '../divergence.ts';
import type { Choice, Overview, Window } from '../model.ts';

/** An overview as the page gets it. */
export interface PageOverview extends Overview {
  /** What may be done from the page; empty when it only looks. */
  readonly canControl: readonly string[];
  /** There is another run that it is compared with. */
  readonly isCompared?: boolean;
}

/** A run's data. */
export interface DataSource {
  overview(): Promise<PageOverview>;
  window(from: number, to: number): Promise<Window>;
  entry(position: number): Promise<Entry>;
  /** Positions that an entry follows from, itself included. */
  why(position: number): Promise<readonly number[]>;
  /** Calls back when there is more; returns how to stop. */
  follow(changed: (pulse: Pulse) => void): () => void;
  /** Where this run and the one that it is compared with part, the earliest first. */
  differences(): Promise<readonly Divergence[]>;
  /** What could happen next, where that is chosen by hand. */
  choices(): Promise<readonly Choice[]>;
  /** Does something to the run; resolves to what was done, in words. */
  act(name: string, argument: object): Promise<string>;
}

/** What is told while a run grows. */
export type Pulse = Pick<Overview, 'entries' | 'isLive' | 'lastMs' | 'notices'>;

/** The whole of an exported run. */
export interface Exported {
  readonly overview: PageOverview;
  readonly window: Window;
  readonly entries: readonly Entry[];
}

/** The run in this document, or that of the server. */
export function dataSource(): DataSource {
  const held = document.querySelector('script#run')?.textContent;
  return held === undefined || held === '' ? served() : exported(JSON.parse(held) as Exported);
}

/** The token that changes need: from the address's fragment, which is sent nowhere. */
function token(): string {
  return new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
}

async function asked<Answer>(path: string, options: RequestInit = {}): Promise<Answer> {
  const response = await fetch(path, options);
  const answer = (await response.json()) as { readonly error?: string };
  if (!response.ok) throw new Error(answer.error ?? `${response.status} ${response.statusText}`);
  return answer as Answer;
}

function served(): DataSource {
  return {
    overview: () => asked('api/overview'),
    window: (from, to) => asked(`api/window?from=${from}&to=${to}`),
    entry: (position) => asked(`api/entry?at=${position}`),
    why: (position) => asked(`api/why?at=${position}`),
    choices: () => asked('api/choices'),
    differences: () => asked('api/differences'),
    follow(changed) {
      const events = new EventSource('api/follow');
      events.addEventListener('pulse', (event) => changed(JSON.parse((event as MessageEvent<string>).data) as Pulse));
      return () => events.close();
    },
    async act(name, argument) {
      const { said } = await asked<{ readonly said: string }>(`api/do/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'authorization': `Bearer ${token()}` },
        body: JSON.stringify(argument),
      });
      return said;
    },
  };
}

/** A run that stands in this document: nothing of it changes, and nothing is fetched. */
export function exported({ overview, window, entries }: Exported): DataSource {
  const first = window.base.position;
  return {
    overview: () => Promise.resolve(overview),
    window: () => Promise.resolve(window),
    entry(position) {
      const entry = entries[position - first - 1];
      return entry === undefined
        ? Promise.reject(new Error(`entry ${position} is not in this file`))
        : Promise.resolve(entry);
    },
    why(position) {
      const found = new Set([position]);
      for (const next of found)
        for (const cause of window.frames[next - first - 1]?.causes ?? []) found.add(cause.position);
      return Promise.resolve([...found].sort((a, b) => a - b));
    },
    follow: () => () => {},
    choices: () => Promise.resolve([]),
    differences: () => Promise.resolve([]),
    act: () => Promise.reject(new Error('this is a file: nothing can be done to the run from here')),
  };
}
