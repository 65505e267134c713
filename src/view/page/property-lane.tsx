/** The property lane: what each property of a counterexample comes to along the run, under the diagram and at the same cursor. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Judged, PropertyLane, PropertyRow, PropertyState } from '../model.ts';

type State = PropertyState['state'];

/** A sign, so that no state is told by its colour alone; and a word. */
const signs: Readonly<Record<State, readonly [sign: string, word: string]>> = {
  holds: ['✓', 'holds'],
  met: ['●', 'met'],
  pending: ['…', 'pending'],
  unknown: ['?', 'unknown'],
  unmet: ['○', 'not yet met'],
  violated: ['✗', 'violated'],
};

/** What the lane is drawn from. */
export interface PropertyLaneProps {
  readonly lane: PropertyLane;
  /** At the cursor. */
  readonly judged: Judged;
  readonly position: number;
  readonly entries: number;
  /** Moves the cursor. */
  readonly onGo: (position: number) => void;
}

/** A stretch of entries in which a property is the same. `to` is included. */
interface Segment {
  readonly state: State;
  readonly from: number;
  readonly to: number;
  /** Default that of its state. */
  readonly sign?: string;
}

/** The lane; nothing for a run that is no counterexample. */
export function PropertyLaneBlock({ lane, judged, position, entries, onGo }: PropertyLaneProps): JSX.Element | null {
  const [told, setTold] = useState('');
  const { loop, changesHidden } = lane;
  if (lane.rows.length === 0) return null;
  // What the counterexample is of comes first.
  const isBroken = ({ changes }: PropertyRow) => changes.some(({ state }) => state === 'violated');
  const rows = [...lane.rows.filter(isBroken), ...lane.rows.filter((row) => !isBroken(row))];
  return (
    <section class="property-lane" aria-label="Properties">
      <header>
        <h2>Properties</h2>
        <span class="quiet told">{told === '' ? `at entry ${position}` : told}</span>
        {changesHidden > 0 ? <span class="hidden-count">{changesHidden} changes hidden</span> : null}
      </header>
      <ul>
        {loop === null ? null : (
          <li class="loop">
            <span class="name">↻ repeats</span>
            <Track
              segments={[{ state: 'unknown', ...loop, sign: '↻' }]}
              textOf={({ from, to }) => `entries ${from} to ${to} repeat for ever`}
              {...{ position, entries, onGo, setTold }}
            />
            <span class="verdict quiet">{position >= loop.from && position <= loop.to ? '↻ in it' : ''}</span>
          </li>
        )}
        {rows.map((row) => (
          <Row key={row.key} row={row} state={stateAt(judged, row)} {...{ position, entries, onGo, setTold }} />
        ))}
      </ul>
      <details class="outline">
        <summary>in words</summary>
        <ul>
          {loop === null ? null : <li>{`entries ${loop.from} to ${loop.to} repeat for ever`}</li>}
          {rows.map((row) => (
            <li key={row.key}>{`${row.kind} ${row.name}: ${wordsOf(row)}`}</li>
          ))}
        </ul>
      </details>
    </section>
  );
}

interface TrackProps {
  readonly position: number;
  readonly entries: number;
  readonly onGo: (position: number) => void;
  readonly setTold: (told: string) => void;
}

function Row({
  row,
  state,
  ...track
}: TrackProps & { readonly row: PropertyRow; readonly state: State | undefined }): JSX.Element {
  const [sign, word] = state === undefined ? ['', ''] : signs[state];
  return (
    <li>
      <span class="name" title={row.name}>
        {row.name} <span class="quiet">{row.kind}</span>
      </span>
      <Track
        segments={segmentsOf(row, track.entries)}
        textOf={(segment) => `${row.name}: ${inWords(segment)}`}
        {...track}
      />
      <span class={`verdict ${state ?? ''}`}>{`${sign} ${word}`}</span>
    </li>
  );
}

function Track({
  segments,
  textOf,
  position,
  entries,
  onGo,
  setTold,
}: TrackProps & {
  readonly segments: readonly Segment[];
  readonly textOf: (segment: Segment) => string;
}): JSX.Element {
  const share = (at: number) => `${(at / Math.max(1, entries)) * 100}%`;
  return (
    <div class="segments">
      {segments.map((segment) => {
        const { state, from, to, sign = signs[state][0] } = segment;
        const text = textOf(segment);
        return (
          <button
            type="button"
            key={from}
            class={`segment ${state}`}
            style={{ left: `min(${share(from - 1)}, 100% - 16px)`, width: share(to - from + 1) }}
            title={text}
            aria-label={text}
            onClick={() => onGo(from)}
            onFocus={() => setTold(text)}
            onBlur={() => setTold('')}
            onMouseEnter={() => setTold(text)}
            onMouseLeave={() => setTold('')}
          >
            <span aria-hidden="true">{sign}</span>
          </button>
        );
      })}
      {position > 0 ? <span class="at" style={{ left: share(position - 0.5) }} /> : null}
    </div>
  );
}

function stateAt({ properties }: Judged, { key }: PropertyRow): State | undefined {
  return Object.hasOwn(properties, key) ? properties[key]?.state : undefined;
}

function segmentsOf({ changes }: PropertyRow, entries: number): readonly Segment[] {
  return changes.map(({ position, state }, index) => ({
    state,
    from: position,
    to: (changes[index + 1]?.position ?? entries + 1) - 1,
  }));
}

function inWords({ state, from, to }: Segment): string {
  return `${signs[state][1]}, ${from === to ? `entry ${from}` : `entries ${from} to ${to}`}`;
}

function wordsOf({ changes }: PropertyRow): string {
  return changes.map(({ position, state }) => `${signs[state][1]} from entry ${position}`).join('; ');
}
