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
  const [trouble, setTrouble] = useState('');
  useEffect(() => {
    source
      .differences()
      .then(setFound, (error: unknown) => setTrouble(error instanceof Error ? error.message : String(error)));
  }, [source]);
  return (
    <section class="pane differences" aria-label="Differences">
      {trouble === '' ? null : <p class="warning">They could not be compared: {trouble}</p>}
      {found === undefined && trouble === '' ? <p class="empty">Comparing…</p> : null}
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
