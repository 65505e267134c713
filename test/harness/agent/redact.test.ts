/** Secrets stay out of what is said, however it is cut, escaped or nested. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Letter } from '../../../src/harness/index.ts';
import { cleanAttempt } from '../../../src/harness/agent/clean-attempt.ts';
import { linesOf } from '../../../src/harness/agent/lines.ts';
import { redactor, secretLengthMin } from '../../../src/harness/agent/redact.ts';
import { noMailbox } from '../../support/no-mailbox.ts';
import { attemptAt } from '../support.ts';

const secret = fc
  .string({ unit: 'grapheme', minLength: secretLengthMin, maxLength: 40 })
  .filter(
    (value) =>
      value.trim().length >= secretLengthMin && !/^\d+$/.test(value) && !'[redacted A_TOKEN]'.includes(value.trim()),
  );
const words = fc.string({ unit: 'grapheme', maxLength: 30 });

describe('a secret', () => {
  test('is found in texts, names and values, plain and escaped; nothing else changes', () => {
    fc.assert(
      fc.property(secret, words, words, (value, before, after) => {
        const clean = redactor({ env: { A_TOKEN: value, PLAIN: 'plain' } });
        for (const form of [value, JSON.stringify(value).slice(1, -1)]) {
          expect(clean.text(`${before}${form}${after}`)).not.toContain(form);
          expect(JSON.stringify(clean.json({ [form]: [form, { deep: `x${form}` }] }))).not.toContain(
            JSON.stringify(form).slice(1, -1),
          );
        }
        fc.pre(!`${before}${after}`.includes(value.trim()));
        expect(clean.text(`${before}\n${after}`)).toBe(`${before}\n${after}`);
      }),
    );
  });

  test('is found where it has been written into something else', () => {
    const value = 'p"a\\ss/w?rd&=1 ü';
    const clean = redactor({ env: { A_TOKEN: value } });
    const once = JSON.stringify(value);
    const address = `https://a/?key=${encodeURIComponent(value)}`;
    for (const said of [once, JSON.stringify({ once }), once.replaceAll('/', String.raw`\/`), address])
      expect([said, clean.text(said)]).toEqual([said, expect.stringContaining('[redacted A_TOKEN]')]);
  });

  test('is found in a stream, wherever it is cut', () => {
    fc.assert(
      fc.property(secret, words, words, fc.array(fc.nat(100), { maxLength: 8 }), (value, before, after, places) => {
        const stream = redactor({ env: { A_TOKEN: value } }).stream();
        const whole = `${before}${value}${after}`;
        const at = [
          0,
          ...places.map((place) => place % (whole.length + 1)).toSorted((one, other) => one - other),
          whole.length,
        ];
        let said = '';
        for (let index = 1; index < at.length; index += 1) said += stream.push(whole.slice(at[index - 1], at[index]));
        said += stream.end();
        expect(said).not.toContain(value);
      }),
    );
  });

  test('that begins like another, or holds it, is found whole in a stream too', () => {
    const key = '-----BEGIN KEY-----\nline-one-of-the-key\nshort==\n-----END KEY-----\n';
    const clean = redactor({
      env: { A_TOKEN: 'abcdef', B_TOKEN: 'abcdefghijkl', C_TOKEN: 'ijklmnop', PRIVATE_KEY: key },
    });
    for (const whole of ['abcdefghijkl', 'abcdefgh', 'abcdefghijklmnop', 'abcdefgijklmnop', key, `${key}abcdef`]) {
      const stream = clean.stream();
      const said = Array.from(`< ${whole} >${whole}`, (part) => stream.push(part)).join('') + stream.end();
      expect(said).toBe(clean.text(`< ${whole} >${whole}`));
    }
  });

  test('is what a variable holds whose name looks like it, or that is named; short ones, numbers, paths and switches are none', () => {
    const env = {
      OPENAI_API_KEY: 'value-of-key',
      DB_PASSWORD: 'value-of-password',
      mixedSecretCase: 'value-of-mixed',
      SSH_AUTH_SOCK: '/run/agent.sock',
      TOKEN_FILE: '/run/token-file',
      MAX_TOKENS: '100000000',
      A_KEY: 'short',
      GIT_AUTHOR_NAME: 'Ann Author',
      OTHER: 'value-of-other',
    };
    const said = Object.values(env).join(' ');
    expect(redactor({ env, names: ['OTHER'] }).text(said)).toBe(
      '[redacted OPENAI_API_KEY] [redacted DB_PASSWORD] [redacted mixedSecretCase] /run/agent.sock /run/token-file 100000000 short Ann Author [redacted OTHER]',
    );
  });

  test('of several lines is found line by line, and in what an error says and was caused by', () => {
    const key = '-----BEGIN KEY-----\nline-one-of-the-key\nline-two-of-the-key\n';
    const clean = redactor({ env: { PRIVATE_KEY: key } });
    expect(clean.text('got line-two-of-the-key, see')).toBe('got [redacted PRIVATE_KEY], see');
    const error = new Error('outer line-one-of-the-key', { cause: new Error('inner line-two-of-the-key') });
    expect(JSON.stringify(clean.error(error))).not.toMatch(/line-(one|two)-of/);
  });
});

test('a secret with half a character is one, as it is given and as a program is given it', () => {
  const clean = redactor({ env: { A_TOKEN: 'half \ud83d of it' } });
  expect(clean.text('half \ud83d of it, half \ufffd of it')).toBe('[redacted A_TOKEN], [redacted A_TOKEN]');
});

test('a line that grows never shows the beginning of a secret', () => {
  const lineOf = linesOf(redactor({ env: { A_TOKEN: 'planted-secret' } }));
  const lines = ['it is plan', 'ted-se', 'cret, ', 'plan B'].map((text) =>
    lineOf({ type: 'text', text, isDelta: true }),
  );
  expect(lines).toEqual(['it is', 'it is', 'it is [redacted A_TOKEN],', 'it is [redacted A_TOKEN], plan B']);
  expect(lineOf({ type: 'notice', line: `${'x'.repeat(195)}planted-secret` })).not.toContain('plant');
});

test('no word of a letter that an agent chooses holds a secret', async () => {
  const sent: Letter[] = [];
  const send = async (letter: Letter) => {
    sent.push(letter);
    return { id: 'm1' };
  };
  const given = attemptAt({}, { mailbox: { ...noMailbox, send } });
  const { mailbox } = cleanAttempt(given, redactor({ env: { A_TOKEN: 'planted-secret' } }));
  await mailbox.send({ to: 'b', type: 'found planted-secret', body: ['planted-secret'] });
  await mailbox.send({ to: 'b', type: 'finding' });
  expect(sent).toEqual([
    { to: 'b', type: 'found [redacted A_TOKEN]', body: ['[redacted A_TOKEN]'] },
    { to: 'b', type: 'finding' },
  ]);
});
