/** The page: four views of one run under one cursor. */
import { render, type JSX } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { Bar, keys, moveBy } from './bar.tsx';
import { ChartPane, type Focus } from './chart-pane.tsx';
import { ControlPane, useDoing } from './doing.tsx';
import { dataSource, positionOfPage, tokenOfPage } from './data-source.ts';
import { DifferencesPane } from './differences.tsx';
import { EntryPane } from './entry-pane.tsx';
import { JournalPane } from './journal.tsx';
import { canvasMeasure, layouts, type Layouts } from './layout.ts';
import { MembersPane } from './members.tsx';
import { player, type Player } from './player.ts';
import type { DataSource } from './source.ts';
import { SpaceTimePane } from './space-time.tsx';
import { WatchPane } from './watch.tsx';
import { WhatIfPane } from './what-if.tsx';

type Tab = 'control' | 'differences' | 'entry' | 'journal' | 'keys' | 'members' | 'watch' | 'what if';

function Page({
  source,
  cursor,
  drawings,
}: {
  readonly source: DataSource;
  readonly cursor: Player;
  readonly drawings: Layouts;
}): JSX.Element {
  const [shown, setShown] = useState(cursor.shown());
  const { overview, state, frame } = shown;
  const isWhatIf = overview.canControl.includes('choose');
  const [focus, setFocus] = useState<Focus>({ group: '', address: '' });
  const tabs: readonly Tab[] = [
    'members',
    'journal',
    'entry',
    'watch',
    ...(overview.isCompared === true ? (['differences'] as const) : []),
    isWhatIf ? 'what if' : 'control',
    'keys',
  ];
  const [tab, setTab] = useState<Tab>(isWhatIf ? 'what if' : 'members');
  const [isFiltering, setFiltering] = useState(false);
  useLayoutEffect(() => {
    if (!isFiltering) return;
    // Before the next key is heard: what is typed at once behind the `/` is all for the filter.
    document.querySelector<HTMLInputElement>('.journal input')?.focus();
    setFiltering(false);
  }, [isFiltering]);
  const [why, setWhy] = useState<readonly number[]>([]);
  const doing = useDoing(source, overview.canControl);
  useEffect(() => cursor.subscribe(() => setShown(cursor.shown())), [cursor]);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const { target } = event;
      if (target instanceof HTMLInputElement && target.type !== 'range' && target.type !== 'checkbox') return;
      if (target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      // What has the focus is pressed by it.
      if (event.key === ' ' && target instanceof Element && target.matches('button, summary, [type=checkbox]')) return;
      if (event.key === '?') setTab('keys');
      else if (event.key === '/') {
        setTab('journal');
        setFiltering(true);
        event.preventDefault();
      } else if (event.key === 'w') {
        setTab('entry');
        source.why(cursor.shown().state.position).then(setWhy, () => {});
      } else {
        if (['ArrowLeft', 'ArrowRight', 'Home', 'End', ' '].includes(event.key)) event.preventDefault();
        void moveBy(event, cursor, cursor.shown());
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [cursor, source]);
  useEffect(() => {
    const token = tokenOfPage();
    const parts = [
      ...(token === undefined ? [] : [`token=${token}`]),
      ...(overview.isLive && shown.isFollowing ? [] : [`at=${state.position}`]),
    ];
    history.replaceState(null, '', parts.length === 0 ? location.pathname + location.search : `#${parts.join('&')}`);
  }, [state.position, shown.isFollowing]);
  useEffect(() => {
    // A link to another place of this run, or such an address typed in.
    const moved = () => {
      const at = positionOfPage();
      if (at !== undefined) void cursor.go(at);
    };
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, [cursor]);
  const go = (position: number) => void cursor.go(position);
  const groups = Object.values(state.groups).map(({ name, members }) => ({
    name,
    members: Object.values(members).map(({ id }) => id),
  }));
  return (
    <div class="page">
      <Bar player={cursor} shown={shown} />
      <main>
        <ChartPane groups={state.groups} charts={overview.charts} focus={focus} layouts={drawings} onFocus={setFocus} />
        <SpaceTimePane player={cursor} state={state} entries={overview.entries} lane={overview.lane} why={why} />
        <div class="side">
          <nav role="tablist" aria-label="Details">
            {tabs.map((name) => (
              <button type="button" key={name} role="tab" aria-selected={tab === name} onClick={() => setTab(name)}>
                {name}
              </button>
            ))}
          </nav>
          {tab === 'members' ? <MembersPane state={state} onFocus={setFocus} onGo={go} does={doing.does} /> : null}
          {tab === 'journal' ? (
            <JournalPane
              player={cursor}
              start={shown.start}
              entries={overview.entries}
              position={state.position}
              why={why}
            />
          ) : null}
          {tab === 'entry' ? (
            <EntryPane player={cursor} source={source} frame={frame} why={why} onWhy={setWhy} />
          ) : null}
          {tab === 'control' ? <ControlPane does={doing.does} groups={groups} position={state.position} /> : null}
          {tab === 'watch' ? <WatchPane player={cursor} state={state} /> : null}
          {tab === 'differences' ? <DifferencesPane source={source} player={cursor} /> : null}
          {tab === 'what if' ? (
            <WhatIfPane source={source} entries={overview.entries} onTaken={() => cursor.followEnd(true)} />
          ) : null}
          {tab === 'keys' ? (
            <section class="pane" aria-label="Keys">
              <dl class="keys">
                {keys.map(([key, what]) => (
                  <div key={key}>
                    <dt>
                      <kbd>{key}</kbd>
                    </dt>
                    <dd>{what}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ) : null}
        </div>
      </main>
      {doing.element}
    </div>
  );
}

async function open(): Promise<void> {
  const root = document.querySelector('#root');
  if (root === null) return;
  try {
    const source = dataSource();
    const cursor = await player(source);
    const at = positionOfPage();
    if (at !== undefined) await cursor.go(at);
    const worker = document.querySelector('script#layout')?.textContent ?? '';
    render(<Page source={source} cursor={cursor} drawings={layouts(worker, canvasMeasure())} />, root);
  } catch (error) {
    root.textContent = `The run cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
  }
}

void open();
