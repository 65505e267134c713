/** Reopening a name is the same group only with the same machine and input. */
import { TroupeError } from '../error.ts';
import { canonical } from '../json.ts';
import type { GroupOptions } from './group-context.ts';
import type { Entry } from '../journal/port.ts';
import type { GroupEvents } from './entries.ts';
import type { Ledger } from './ledger.ts';
import { migrationOf } from './migrate.ts';

const excerpt = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}…` : text);

/** Throws GROUP_MISMATCH, naming both, when `options` are not those the group was created with, or was taken over with. */
export function refuseMismatch(
  ledger: Pick<Ledger, 'input' | 'machine'>,
  { name, definition, input }: Pick<GroupOptions, 'definition' | 'input' | 'name'>,
): void {
  const rule = migrationOf(definition, ledger.machine.version);
  const refuse = (what: string, recorded: string, given: string) => {
    throw new TroupeError(
      'GROUP_MISMATCH',
      `group \`${name}\` was created with ${what} ${recorded}, and is now opened with ${given}. Open it with the ${what} it was created with, take it over with \`migrate\`, or fork the run before it was created.`,
    );
  };
  const isKnown = rule !== undefined || [definition, ...definition.previous].some(({ id }) => id === ledger.machine.id);
  if (!isKnown) refuse('machine', `\`${ledger.machine.id}\``, `\`${definition.id}\``);
  const recorded = canonical(ledger.input);
  const given = canonical(input);
  if (recorded === given || (rule?.input !== undefined && canonical(rule.input(ledger.input)) === given)) return;
  refuse('input', excerpt(recorded), excerpt(given));
}

/** What a group's first entry says it was created with. Code: JOURNAL_CORRUPT when it is another entry. */
export function createdAs({ type, stream, data }: Entry): GroupEvents['group.created'] {
  if (type !== 'group.created') {
    throw new TroupeError(
      'JOURNAL_CORRUPT',
      `stream \`${stream}\`: expected entry 1 to be group.created, got ${type}.`,
      { stream },
    );
  }
  return data as unknown as GroupEvents['group.created'];
}
