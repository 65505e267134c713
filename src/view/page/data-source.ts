/** Where the page has a run from: the server it came from, or the file it stands in. */
import { exported, type DataSource, type Exported, type Pulse } from './source.ts';

/** The run in this document, or that of the server. */
export function dataSource(): DataSource {
  const held = document.querySelector('script#run')?.textContent;
  return held === undefined || held === '' ? served() : exported(JSON.parse(held) as Exported);
}

const given = () => new URLSearchParams(location.hash.slice(1)).get('token') ?? undefined;
let kept = given();

/** The token that changes need: from the address's fragment, which is sent nowhere, or what it was there before. */
export function tokenOfPage(): string | undefined {
  kept = given() ?? kept;
  return kept;
}

/** Where the cursor is to be, by the address's fragment; undefined when it does not say. */
export function positionOfPage(): number | undefined {
  const at = new URLSearchParams(location.hash.slice(1)).get('at') ?? '';
  return /^\d{1,15}$/.test(at) ? Number(at) : undefined;
}

async function asked<Answer>(path: string, options: RequestInit = {}): Promise<Answer> {
  const response = await fetch(path, options);
  const answer = (await response.json()) as { readonly error?: string };
  if (!response.ok) throw new Error(answer.error ?? `${response.status} ${response.statusText}`);
  return answer as Answer;
}

function served(): DataSource {
  return {
    start: 0,
    overview: () => asked('api/overview'),
    window: (from, to) => asked(`api/window?from=${from}&to=${to}`),
    entry: (position) => asked(`api/entry?at=${position}`),
    why: (position) => asked(`api/why?at=${position}`),
    choices: () => asked('api/choices'),
    differences: () => asked('api/differences'),
    follow(changed, lost) {
      const events = new EventSource('api/follow');
      events.addEventListener('error', lost);
      let before: Pulse | undefined;
      events.addEventListener('pulse', (event) => {
        const pulse = JSON.parse((event as MessageEvent<string>).data) as Pulse;
        // Another run is served here, or what had been chosen was taken back: nothing of what is held here holds.
        if (before !== undefined && (pulse.id !== before.id || pulse.entries < before.entries)) location.reload();
        else changed(pulse);
        before = pulse;
      });
      return () => events.close();
    },
    async act(name, argument) {
      const { said } = await asked<{ readonly said: string }>(`api/do/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'authorization': `Bearer ${tokenOfPage() ?? ''}` },
        body: JSON.stringify(argument),
      });
      return said;
    },
  };
}
