/** Doing something to a run: each asks first, each becomes an entry. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { DataSource } from './source.ts';

/** Asks `question`, then does it. */
export type Does = (name: string, argument: object, question: string) => void;

/** What is being asked, or was said. */
export interface Doing {
  readonly does: Does;
  readonly element: JSX.Element | null;
}

/** Questions and answers of the page. */
export function useDoing(source: DataSource, canControl: readonly string[]): Doing {
  const [asked, setAsked] = useState<{ readonly name: string; readonly argument: object; readonly question: string }>();
  const [said, setSaid] = useState<{ readonly text: string; readonly isError: boolean }>();
  const yes = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (asked === undefined) return undefined;
    // Who asks by keyboard answers by keyboard, and is then where they were.
    const before = document.activeElement;
    yes.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, [asked]);
  useEffect(() => {
    const pressed = ({ key }: KeyboardEvent) => {
      if (key !== 'Escape') return;
      setAsked(undefined);
      setSaid(undefined);
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
  const does: Does = (name, argument, question) => {
    if (canControl.includes(name)) setAsked({ name, argument, question });
    else
      setSaid({
        text: 'This page only looks. Start it with --allow-control to do something to the run.',
        isError: true,
      });
  };
  const go = async () => {
    if (asked === undefined) return;
    setAsked(undefined);
    try {
      setSaid({ text: await source.act(asked.name, asked.argument), isError: false });
    } catch (error) {
      setSaid({ text: error instanceof Error ? error.message : String(error), isError: true });
    }
  };
  const element =
    asked !== undefined ? (
      <div class="dialog" role="alertdialog" aria-label="Confirm">
        <p>{asked.question}</p>
        <button type="button" class="yes" ref={yes} onClick={() => void go()}>
          yes
        </button>
        <button type="button" onClick={() => setAsked(undefined)}>
          no
        </button>
      </div>
    ) : said !== undefined ? (
      <div class={`dialog said ${said.isError ? 'error' : ''}`} role="status">
        <p>{said.text}</p>
        <button type="button" onClick={() => setSaid(undefined)}>
          close
        </button>
      </div>
    ) : null;
  return { does, element };
}

/** Sending, cancelling, retrying, forking: what is not said beside what it concerns. */
export function ControlPane({
  does,
  groups,
  position,
}: {
  readonly does: Does;
  readonly groups: readonly { readonly name: string; readonly members: readonly string[] }[];
  readonly position: number;
}): JSX.Element {
  const [group, setGroup] = useState('');
  const [to, setTo] = useState('coordinator');
  const [body, setBody] = useState('');
  const [mode, setMode] = useState('queue');
  const chosen = groups.find(({ name }) => name === group) ?? groups[0];
  return (
    <section class="pane control" aria-label="Do something to the run">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          does(
            'send',
            { group: chosen?.name ?? '', to, body, mode },
            `Send “${body}” to ${to} of ${chosen?.name ?? ''}?`,
          );
        }}
      >
        <h3>Say something</h3>
        <select
          aria-label="Group"
          value={chosen?.name ?? ''}
          onChange={({ currentTarget }) => {
            setGroup(currentTarget.value);
            setTo('coordinator');
          }}
        >
          {groups.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <select aria-label="Recipient" value={to} onChange={({ currentTarget }) => setTo(currentTarget.value)}>
          {['coordinator', '*', ...(chosen?.members ?? [])].map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <select aria-label="Mode" value={mode} onChange={({ currentTarget }) => setMode(currentTarget.value)}>
          {['queue', 'steer', 'interrupt'].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <input
          aria-label="Message"
          value={body}
          onInput={({ currentTarget }) => setBody(currentTarget.value)}
          required
        />
        <button type="submit">send</button>
      </form>
      <h3>The run</h3>
      <button
        type="button"
        onClick={() =>
          does('fork', { at: position }, `Make a new run of the first ${position} entries? Nothing is done again.`)
        }
      >
        fork here ({position})
      </button>
      <button type="button" onClick={() => does('cancel', {}, 'Cancel the run? Its members are stopped.')}>
        cancel the run
      </button>
      {chosen === undefined ? null : (
        <button
          type="button"
          disabled={to === 'coordinator' || to === '*'}
          onClick={() =>
            does('retry', { member: to, group: chosen.name }, `Make a run in which ${to} is tried once more?`)
          }
        >
          retry {to}
        </button>
      )}
    </section>
  );
}
