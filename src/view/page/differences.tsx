/** Two runs side by side: where they part. */
import { useEffect, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { Divergence } from '../divergence.ts';
import type { Player } from './player.ts';
import type { DataSource } from './source.ts';

/** Where this run and another one part. */
export function DifferencesPane({
  source,
  player,
}: {
  readonly source: DataSource;
  readonly player: Player;
}): JSX.Element {
  const [found, setFound] = useState<readonly Divergence[]>();
  useEffect(() => {
    void source.differences().then(setFound, () => setFound([]));
  }, [source]);
  return (
    <section class="pane differences" aria-label="Differences">
      {found === undefined ? <p class="empty">Comparing…</p> : null}
      {found?.length === 0 ? <p class="empty">Both runs do the same.</p> : null}
      <div class="scroll-x">
        <table>
          <thead>
            <tr>
              <th>where</th>
              <th>this run</th>
              <th>the other</th>
            </tr>
          </thead>
          <tbody>
            {found?.slice(0, 100).map(({ stream, who, one, other, oneSays, otherSays }) => (
              <tr key={`${stream} ${who}`}>
                <td>
                  {stream.replace(/^group:/, '')} {who}
                </td>
                <td>
                  {one === undefined ? null : (
                    <button type="button" onClick={() => void player.go(one)}>
                      {one}
                    </button>
                  )}{' '}
                  {oneSays}
                </td>
                <td>
                  {other} {otherSays}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(found?.length ?? 0) > 100 ? <p class="quiet">{(found?.length ?? 0) - 100} hidden</p> : null}
    </section>
  );
}
