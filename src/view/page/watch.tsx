/** Watch expressions: places in the run's state, looked at afterwards. */
import { useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { ViewState } from '../model.ts';
import type { Player } from './player.ts';
import { pathOf, touches, valueAt } from './watch-path.ts';

const text = (value: unknown) => {
  const all = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return all.length > 400 ? `${all.slice(0, 399)}…` : all;
};

/** The pane. */
export function WatchPane({ player, state }: { readonly player: Player; readonly state: ViewState }): JSX.Element {
  const [expressions, setExpressions] = useState<readonly string[]>(() => readWatches());
  const [typed, setTyped] = useState('');
  const change = (next: readonly string[]) => {
    setExpressions(next);
    writeWatches(next);
  };
  const jump = async (by: -1 | 1, path: readonly string[]) => {
    const found = await player.find(by, (frame) => touches(frame, path));
    if (found !== undefined) await player.go(found);
  };
  return (
    <section class="pane watch" aria-label="Watch">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.trim() !== '' && !expressions.includes(typed.trim())) change([...expressions, typed.trim()]);
          setTyped('');
        }}
      >
        <input
          aria-label="Watch expression"
          placeholder="group.context.field, or groups.name.members.id.status"
          value={typed}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
        <button type="submit">watch</button>
      </form>
      <dl>
        {expressions.map((expression) => {
          const path = pathOf(expression, state) ?? [];
          return (
            <div key={expression}>
              <dt>
                <code>{expression}</code>{' '}
                <button
                  type="button"
                  aria-label={`Previous change of ${expression}`}
                  onClick={() => void jump(-1, path)}
                >
                  ◀
                </button>
                <button type="button" aria-label={`Next change of ${expression}`} onClick={() => void jump(1, path)}>
                  ▶
                </button>
                <button
                  type="button"
                  aria-label={`Watch ${expression} no more`}
                  onClick={() => change(expressions.filter((one) => one !== expression))}
                >
                  ✕
                </button>
              </dt>
              <dd>{text(valueAt(state, path))}</dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}

/** Kept for the next visit where the browser lets it; a page from disk has no place of its own. */
function readWatches(): readonly string[] {
  try {
    const kept = JSON.parse(localStorage.getItem('troupe.watch') ?? '[]') as unknown;
    return Array.isArray(kept) ? kept.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

function writeWatches(expressions: readonly string[]): void {
  try {
    localStorage.setItem('troupe.watch', JSON.stringify(expressions));
  } catch {}
}
