/** One entry: what it says, what it changed, and what it follows from. */
import { useEffect, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { Entry } from '../../journal/port.ts';
import type { Frame, Patch } from '../model.ts';
import type { Player } from './player.ts';
import type { DataSource } from './source.ts';
import { moment } from './words.ts';

/** Patches that are listed. */
const patchesMax = 80;

/** The pane. */
export function EntryPane({
  player,
  source,
  frame,
  why,
  onWhy,
}: {
  readonly player: Player;
  readonly source: DataSource;
  readonly frame: Frame | undefined;
  readonly why: readonly number[];
  readonly onWhy: (positions: readonly number[]) => void;
}): JSX.Element {
  const [entry, setEntry] = useState<Entry>();
  const [trouble, setTrouble] = useState('');
  const [isCopied, setIsCopied] = useState(false);
  const position = frame?.position;
  useEffect(() => {
    setEntry(undefined);
    setTrouble('');
    setIsCopied(false);
    if (position === undefined) return undefined;
    let isCurrent = true;
    source.entry(position).then(
      (found) => {
        if (isCurrent) setEntry(found);
      },
      (error: unknown) => {
        if (isCurrent) setTrouble(error instanceof Error ? error.message : String(error));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [position, source]);
  if (frame === undefined)
    return (
      <section class="pane entry" aria-label="Entry">
        <p class="empty">Before the first entry.</p>
      </section>
    );
  const ask = () => (why.length > 0 ? onWhy([]) : source.why(frame.position).then(onWhy, () => {}));
  const copy = () => {
    const link = `${location.href.split('#')[0]}#at=${frame.position}`;
    void navigator.clipboard?.writeText(link).then(() => setIsCopied(true));
  };
  return (
    <section class="pane entry" aria-label="Entry">
      <header>
        <h2>
          {frame.position} <code>{frame.type}</code>
        </h2>
        <button type="button" onClick={() => void ask()} aria-pressed={why.length > 0}>
          why?
        </button>
        <button type="button" onClick={copy}>
          {isCopied ? 'copied' : 'copy link'}
        </button>
      </header>
      <div class="scroll">
        {frame.fault === undefined ? null : <p class="fault-badge">fault: {frame.fault}</p>}
        <p>
          {frame.summary}
          <br />
          <span class="quiet">
            {frame.stream}, entry {frame.seq}, {moment(frame.atMs)}
          </span>
        </p>
        {frame.causes.length > 0 ? (
          <>
            <h3>Because of</h3>
            <ul class="causes">
              {frame.causes.map(({ position: at, why: reason }) => (
                <li key={`${at} ${reason}`}>
                  <button type="button" onClick={() => void player.go(at)}>
                    {reason}: {at}
                  </button>{' '}
                  <span class="quiet">{player.frameAt(at)?.summary ?? ''}</span>
                </li>
              ))}
            </ul>
          </>
        ) : null}
        {why.length > 0 ? (
          <>
            <h3>
              The whole way here: {why.length} {why.length === 1 ? 'entry' : 'entries'}
            </h3>
            <ol class="causes">
              {why.slice(-40).map((at) => (
                <li key={at}>
                  <button type="button" onClick={() => void player.go(at)}>
                    {at}
                  </button>{' '}
                  <span class="quiet">
                    {player.frameAt(at)?.type} {player.frameAt(at)?.summary}
                  </span>
                </li>
              ))}
            </ol>
          </>
        ) : null}
        <h3>What it changed</h3>
        <ul class="changes">
          {frame.patches
            .filter(isTold)
            .slice(0, patchesMax)
            .map((patch) => (
              <li key={patch.path.join('/')}>
                <code>{patch.path.join('.')}</code>{' '}
                {patch.op === 'remove' ? (
                  <del>{inverseOf(frame, patch)}</del>
                ) : (
                  <>
                    {patch.op === 'replace' ? <del>{inverseOf(frame, patch)}</del> : null}{' '}
                    <ins>{short(patch.value)}</ins>
                  </>
                )}
              </li>
            ))}
        </ul>
        {frame.patches.length > patchesMax ? (
          <p class="quiet">{frame.patches.length - patchesMax} changes hidden</p>
        ) : null}
        <h3>As it stands in the journal</h3>
        <pre>{trouble !== '' ? trouble : entry === undefined ? '…' : JSON.stringify(entry, undefined, 2)}</pre>
      </div>
    </section>
  );
}

const bookkeeping = new Set(['position', 'atMs', 'changedAt', 'sinceMs']);
const isTold = ({ path }: Patch) => !bookkeeping.has(String(path.at(-1)));

function inverseOf(frame: Frame, { path }: Patch): string {
  const same = frame.inverse.find(
    (one) => one.path.length === path.length && one.path.every((part, index) => part === path[index]),
  );
  return same === undefined || same.op === 'remove' ? '' : short(same.value);
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}
