/** An attempt as an agent's side sees it: whatever goes through it to the journal has been cleaned of secrets. */
import type { Attempt, Letter } from '../port.ts';
import type { Redactor } from './redact.ts';

/** `attempt`, cleaned by `clean`. */
export function cleanAttempt(attempt: Attempt, clean: Redactor): Attempt {
  const { mailbox } = attempt;
  const letter = (sent: Letter): Letter => ({
    ...sent,
    type: clean.text(sent.type),
    ...(sent.body === undefined ? {} : { body: clean.json(sent.body) }),
  });
  return {
    ...attempt,
    progress: ({ line, data, usage }) =>
      attempt.progress({
        ...(line === undefined ? {} : { line: clean.text(line) }),
        ...(data === undefined ? {} : { data: clean.json(data) }),
        ...(usage === undefined ? {} : { usage }),
      }),
    gate: (question) =>
      attempt.gate({
        ...question,
        question: clean.text(question.question),
        ...(question.data === undefined ? {} : { data: clean.json(question.data) }),
      }),
    mailbox: {
      ...mailbox,
      send: (sent) => mailbox.send(letter(sent)),
      ask: (sent, options) => mailbox.ask(letter(sent), options),
      checkpoint: (mark) =>
        mailbox.checkpoint({
          ...mark,
          name: clean.text(mark.name),
          ...(mark.data === undefined ? {} : { data: clean.json(mark.data) }),
        }),
    },
  };
}
