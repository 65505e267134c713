/** What could happen next to a machine without a run, to be let happen. */
import { useEffect, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { Choice } from '../model.ts';
import type { DataSource } from './source.ts';

const hints = {
  output: 'output, JSON or text',
  message: 'message of the error',
  event: 'other fields, JSON',
  none: '',
};

/** The pane. `entries`: how many there are, so that it asks again when something has happened. */
export function WhatIfPane({
  source,
  entries,
  onTaken,
}: {
  readonly source: DataSource;
  readonly entries: number;
  readonly onTaken: () => void;
}): JSX.Element {
  const [choices, setChoices] = useState<readonly Choice[]>([]);
  const [value, setValue] = useState('');
  const [trouble, setTrouble] = useState('');
  useEffect(() => {
    let isCurrent = true;
    source.choices().then(
      (found) => {
        if (isCurrent) setChoices(found);
      },
      () => {},
    );
    return () => {
      isCurrent = false;
    };
  }, [source, entries]);
  const take = async (choice: Choice) => {
    setTrouble('');
    try {
      await source.act('choose', {
        id: choice.id,
        ...(choice.takes === 'none' || value === '' ? {} : { value: parsed(value) }),
      });
      setValue('');
      onTaken();
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    }
  };
  const back = async () => {
    await source.act('back', {});
    // It was played again from the start: nothing of what is held here holds.
    location.reload();
  };
  return (
    <section class="pane what-if" aria-label="What if">
      <h3>What could happen</h3>
      <p class="quiet">The real kernel; nothing of the world is touched.</p>
      <input
        aria-label="Value"
        placeholder="value: JSON or text, for what takes one"
        value={value}
        onInput={({ currentTarget }) => setValue(currentTarget.value)}
      />
      {choices.length === 0 ? <p class="empty">Nothing: the group has ended.</p> : null}
      <ul>
        {choices.map((choice) => (
          <li key={choice.id}>
            <button type="button" title={hints[choice.takes]} onClick={() => void take(choice)}>
              {choice.label}
            </button>
          </li>
        ))}
      </ul>
      <button type="button" onClick={() => void back()}>
        take the last choice back
      </button>
      {trouble === '' ? null : <p class="warning">{trouble}</p>}
    </section>
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
