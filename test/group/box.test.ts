import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boxOf, mailOfEffect, markRead, markUnread, putMail, unreadIn, type Mail } from '../../src/group/box.ts';
import { mailOf } from '../../src/group/mail.ts';

const mail = (number: number): Mail => ({
  id: `m${number}`,
  from: 'a',
  to: 'b',
  type: 'note',
  body: number,
  mode: 'queue',
  at: 0,
  effect: `${number}:0`,
});

const deed = fc.oneof(
  fc.constant({ type: 'put' } as const),
  fc.record({ type: fc.constant('read' as const), ids: fc.array(fc.nat(12), { maxLength: 5 }) }),
  fc.constant({ type: 'again' } as const),
  fc.record({ type: fc.constant('hear' as const), number: fc.nat(12) }),
  fc.constant({ type: 'restore' } as const),
);

test('a box does what a list does, in whatever order its letters are asked for', () => {
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 40 }), (deeds) => {
      let box = boxOf([]);
      const list: { readonly mail: Mail; isRead: boolean }[] = [];
      for (const one of deeds) {
        if (one.type === 'put') {
          list.push({ mail: mail(list.length), isRead: false });
          putMail(box, mail(list.length - 1));
        } else if (one.type === 'read') {
          const ids = one.ids.map((number) => `m${number}`);
          for (const known of list) if (ids.includes(known.mail.id)) known.isRead = true;
          markRead(box, ids);
        } else if (one.type === 'again') {
          for (const known of list) known.isRead = false;
          markUnread(box);
        } else if (one.type === 'restore') {
          box = boxOf([...box.mails], [...box.isRead]);
        } else {
          const effect = { id: `${one.number}:0`, event: { type: 'note', id: `m${one.number}` } };
          expect(mailOfEffect(box, effect)).toEqual(list[one.number]?.mail);
        }
        const unread = list.flatMap((known) => (known.isRead ? [] : [known.mail.id]));
        expect(box.unread).toBe(unread.length);
        expect(unreadIn(box, 100, () => true).map(({ id }) => id)).toEqual(unread);
      }
    }),
    { numRuns: 500 },
  );
});

test('what a machine sends keeps all its fields, also one that is called as the mode of a message and is none', () => {
  const effect = { id: '1:0', type: 'deliver', address: 'a', incarnation: 1, from: '' } as const;
  const dark = mailOf({ ...effect, event: { type: 'paint', mode: 'dark', level: 3 } }, 0);
  expect(dark).toMatchObject({ mode: 'queue', body: { mode: 'dark', level: 3 } });
  const steered = mailOf({ ...effect, event: { type: 'turn', mode: 'steer', to: 'left' } }, 0);
  expect(steered).toMatchObject({ mode: 'steer', body: { to: 'left' } });
  expect(steered.body).not.toHaveProperty('mode');
});
