/** Groups and their members at the cursor. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { GroupState, MemberState, ViewState } from '../model.ts';
import type { Focus } from './chart-pane.tsx';
import type { Does } from './doing.tsx';
import { count, dollars, duration, saidBy } from './words.ts';

/** Members of one group that are listed before the rest is folded away. */
const listedMax = 60;

/** The pane. */
export function MembersPane({
  state,
  onFocus,
  onGo,
  does,
}: {
  readonly state: ViewState;
  readonly onFocus: (focus: Focus) => void;
  readonly onGo: (position: number) => void;
  readonly does: Does;
}): JSX.Element {
  const groups = Object.values(state.groups);
  return (
    <section class="pane members" aria-label="Groups and members">
      {groups.length === 0 ? <p class="empty">No group yet at this position.</p> : null}
      {Object.values(state.gates).map((gate) => (
        <Gate key={gate.name} gate={gate} does={does} onGo={onGo} />
      ))}
      {groups.map((group) => (
        <GroupTable key={group.name} group={group} atMs={state.atMs} onFocus={onFocus} onGo={onGo} does={does} />
      ))}
    </section>
  );
}

function GroupTable({
  group,
  atMs,
  onFocus,
  onGo,
  does,
}: {
  readonly group: GroupState;
  readonly atMs: number;
  readonly onFocus: (focus: Focus) => void;
  readonly onGo: (position: number) => void;
  readonly does: Does;
}): JSX.Element {
  const [isWhole, setIsWhole] = useState(false);
  const members = Object.values(group.members);
  const listed = isWhole ? members : members.slice(0, listedMax);
  const settled = members.filter(({ status }) => status === 'completed' || status === 'failed').length;
  const last = group.checkpoints.at(-1);
  return (
    <details open class="group">
      <summary>
        <button type="button" class="name" onClick={() => onFocus({ group: group.name, address: '' })}>
          {group.name}
        </button>{' '}
        <span class={`status ${group.status}`}>{group.status}</span> <span class="quiet">{group.machine}</span>{' '}
        <span class="quiet">
          {settled} of {members.length} settled
          {last === undefined ? '' : ` · ● ${last.name} (${last.settled} of ${last.total})`}
          {group.messages > 0 ? ` · ${count(group.messages)} messages` : ''}
          {group.deadLetters.length > 0 ? ` · ${group.deadLetters.length} dead letters` : ''}
          {group.spend.tokens > 0 ? ` · ${count(group.spend.tokens)} tokens` : ''}
          {group.spend.costUsd > 0 ? ` · ${dollars(group.spend.costUsd)}` : ''}
        </span>
      </summary>
      {group.warnings.map((warning) => (
        <p key={warning} class="warning">
          budget: {warning}
        </p>
      ))}
      {Object.values(group.gates).map((gate) => (
        <Gate key={gate.name} group={group.name} gate={gate} does={does} onGo={onGo} />
      ))}
      <div class="scroll-x">
        <table>
          <thead>
            <tr>
              <th>member</th>
              <th>state</th>
              <th>harness</th>
              <th>attempt</th>
              <th>time</th>
              <th>tokens</th>
              <th>mail</th>
              <th>last line</th>
            </tr>
          </thead>
          <tbody>
            {listed.map((member) => (
              <Member key={member.id} member={member} atMs={atMs} onGo={onGo} />
            ))}
          </tbody>
        </table>
      </div>
      {members.length > listed.length ? (
        <button type="button" onClick={() => setIsWhole(true)}>
          {members.length - listed.length} hidden: show all
        </button>
      ) : null}
      {group.checkpoints.length > 0 ? (
        <p class="checkpoints">
          {group.checkpoints.slice(-12).map(({ name, at, settled: done, total }) => (
            <button type="button" key={at} onClick={() => onGo(at)} title={`entry ${at}`}>
              ● {name} {done}/{total}
            </button>
          ))}
        </p>
      ) : null}
      {group.deadLetters.length > 0 ? (
        <p class="dead">
          {group.deadLetters.slice(-6).map(({ from, to, reason, at }) => (
            <button type="button" key={at} onClick={() => onGo(at)}>
              ✕ {from || 'coordinator'} → {to || 'coordinator'}: {reason}
            </button>
          ))}
        </p>
      ) : null}
      {group.end === '' ? null : <p class="quiet">{group.end}</p>}
    </details>
  );
}

function Member({
  member,
  atMs,
  onGo,
}: {
  readonly member: MemberState;
  readonly atMs: number;
  readonly onGo: (position: number) => void;
}): JSX.Element {
  const { startedMs, endedMs, status, sinceMs } = member;
  const elapsed = startedMs === null ? atMs - sinceMs : (status === 'running' ? atMs : (endedMs ?? atMs)) - startedMs;
  return (
    <tr class={status}>
      <td>
        <button
          type="button"
          class="name"
          onClick={() => onGo(member.changedAt)}
          title={`${member.id} · last entry: ${member.changedAt}`}
        >
          {member.id}
          {member.incarnation > 1 ? `#${member.incarnation}` : ''}
        </button>
      </td>
      <td>
        <span class={`status ${status}`}>{status}</span>
      </td>
      <td>{member.harness}</td>
      <td class="number">{member.attempt}</td>
      <td class="number">{duration(Math.max(0, elapsed))}</td>
      <td class="number">{member.spend.tokens > 0 ? count(member.spend.tokens) : ''}</td>
      <td class="number">{member.unread > 0 ? member.unread : ''}</td>
      <td class="text">{saidBy(member)}</td>
    </tr>
  );
}

function Gate({
  gate,
  group,
  does,
  onGo,
}: {
  readonly gate: GroupState['gates'][string];
  readonly group?: string;
  readonly does: Does;
  readonly onGo: (position: number) => void;
}): JSX.Element {
  const answer = (approved: boolean) =>
    does(
      'approve',
      { gate: gate.name, approved, ...(group === undefined ? {} : { group }) },
      `${approved ? 'Approve' : 'Reject'} gate ${gate.name}?`,
    );
  return (
    <p class={`gate ${gate.answer === null ? 'open' : ''}`}>
      <button type="button" class="name" onClick={() => onGo(gate.openedAt)}>
        ? {gate.name}
      </button>{' '}
      {gate.question}{' '}
      {gate.answer === null ? (
        <>
          <button type="button" onClick={() => answer(true)}>
            approve
          </button>
          <button type="button" onClick={() => answer(false)}>
            reject
          </button>
        </>
      ) : (
        <span class="quiet">
          {gate.answer.approved ? 'approved' : 'rejected'} by {gate.answer.by}
          {gate.answer.note === '' ? '' : `: ${gate.answer.note}`}
        </span>
      )}
    </p>
  );
}
