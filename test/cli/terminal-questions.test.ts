/** Questions at a terminal that is played by two streams. */
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { terminalQuestions, type Reply } from '../../src/cli/terminal-questions.ts';
import { screen } from './screen.ts';
import { patience } from './support.ts';

const asked = /Approve\? \[y\]es \/ \[n\]o \/ \[l\]ater, and a note if you like: $/;
const reasoned = /Why not\? \(Enter for no reason\): $/;

/** A terminal, what it shows, and questions that note their replies. */
function terminal(isPaintable = true) {
  const job = { isForeground: true };
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { columns: 100 });
  let text = '';
  output.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const interrupts: string[] = [];
  const questions = terminalQuestions({
    input,
    output,
    isPaintable,
    interrupt: () => interrupts.push(text),
    isForeground: () => job.isForeground,
  });
  const replies: [string, Reply][] = [];
  const seen = () => {
    const shown = screen(40, 100);
    shown.write(text.replaceAll(/\r?\n/g, '\r\n'));
    return [...shown.gone, ...shown.lines()].join('\n').trimEnd();
  };
  return {
    job,
    input,
    questions,
    replies,
    interrupts,
    seen,
    text: () => text,
    ask: (name: string, reply: (reply: Reply) => Promise<void> = () => Promise.resolve()) =>
      questions.ask({
        lines: [`? ${name}`],
        async reply(given) {
          replies.push([name, given]);
          await reply(given);
        },
      }),
    /** Waits until the prompt stands behind what is shown. */
    async prompted(name: string, prompt = asked) {
      const pattern = new RegExp(`\\? ${name}\\n(?:.*\\n)*?.*${prompt.source}`);
      await expect.poll(() => `${seen()} `, patience).toMatch(pattern);
    },
  };
}

describe('what is typed', () => {
  test.each<[string, Reply]>([
    ['y', { approved: true, note: '' }],
    ['YES', { approved: true, note: '' }],
    ['yes, after lunch', { approved: true, note: 'after lunch' }],
    ['n too early', { approved: false, note: 'too early' }],
    ['l', 'later'],
    [' Later ', 'later'],
    ['later: I must ask', 'later'],
  ])('%s', async (typed, reply) => {
    const { ask, prompted, input, replies } = terminal();
    ask('ship');
    await prompted('ship');
    input.write(`${typed}\r`);
    await expect.poll(() => replies, patience).toEqual([['ship', reply]]);
  });

  test('who says no is asked why, and need not say', async () => {
    const { ask, prompted, input, replies } = terminal();
    ask('a');
    ask('b');
    await prompted('a');
    input.write('n\r');
    await prompted('a', reasoned);
    input.write(' it is Friday \r');
    await prompted('b');
    input.write('no\r');
    await prompted('b', reasoned);
    input.write('\r');
    await expect
      .poll(() => replies, patience)
      .toEqual([
        ['a', { approved: false, note: 'it is Friday' }],
        ['b', { approved: false, note: '' }],
      ]);
  });

  test.each(['', 'yesterday', 'yes no', 'constructor', 'maybe'])('“%s” is none: asked again', async (typed) => {
    const { ask, prompted, input, replies, seen } = terminal();
    ask('ship');
    await prompted('ship');
    input.write(`${typed}\r`);
    await expect.poll(seen, patience).toMatch(/Please answer y, n or l.*\.\nApprove\?/);
    input.write('y\r');
    await expect.poll(() => replies, patience).toEqual([['ship', { approved: true, note: '' }]]);
  });
});

describe('the end of the input is later', () => {
  test('Ctrl-D, also where a reason is asked for; the next question is asked', async () => {
    const { ask, prompted, input, replies } = terminal();
    ask('a');
    ask('b');
    ask('c');
    await prompted('a');
    input.write('\u0004');
    await prompted('b');
    input.write('n\r');
    await prompted('b', reasoned);
    input.write('\u0004');
    await prompted('c');
    input.write('y\r');
    await expect
      .poll(() => replies, patience)
      .toEqual([
        ['a', 'later'],
        ['b', 'later'],
        ['c', { approved: true, note: '' }],
      ]);
  });

  test('a terminal that is gone answers all questions, those that come after too', async () => {
    const { ask, prompted, input, replies } = terminal();
    ask('a');
    ask('b');
    await prompted('a');
    input.end();
    await expect.poll(() => replies.length, patience).toBe(2);
    ask('c');
    await expect.poll(() => replies.map(([, reply]) => reply), patience).toEqual(['later', 'later', 'later']);
  });

  test('so does one that fails', async () => {
    const { ask, prompted, input, replies } = terminal();
    ask('a');
    await prompted('a');
    input.destroy(new Error('EIO'));
    await expect.poll(() => replies, patience).toEqual([['a', 'later']]);
  });
});

describe('what goes on meanwhile', () => {
  test.each([true, false])('is printed above what is being typed, which stays (paintable: %s)', async (isPaintable) => {
    const { ask, prompted, input, questions, replies, seen, text } = terminal(isPaintable);
    questions.print('before');
    ask('ship');
    await prompted('ship');
    // Longer than the terminal is wide: it stands on several lines.
    const note = 'word '.repeat(30).trim();
    input.write(`y ${note}`);
    if (isPaintable) await expect.poll(text, patience).toContain(note);
    questions.print('another effect  ok');
    questions.print('one more  ok');
    input.write(isPaintable ? '\r' : '\n');
    await expect.poll(() => replies, patience).toEqual([['ship', { approved: true, note }]]);
    questions.print('after');
    const lines = seen().split('\n');
    // Without echo there is no new line behind what is typed.
    const isLine = (line: string, one: string) => (isPaintable ? one === line : one.endsWith(line));
    for (const line of ['before', '? ship', 'another effect  ok', 'one more  ok', 'after'])
      expect(lines.filter((one) => isLine(line, one))).toHaveLength(1);
    expect(lines.indexOf('one more  ok')).toBeLessThan(lines.findLastIndex((one) => one.startsWith('Approve?')));
    // Nothing of what was painted before is left over.
    if (isPaintable) expect(lines.filter((one) => one.startsWith('Approve?'))).toHaveLength(1);
    else expect(text()).not.toContain('\u001b');
  });

  test('a question that is withdrawn says so in a line; what was typed for it answers nothing else', async () => {
    const { ask, prompted, input, replies, seen } = terminal();
    const withdraw = ask('a');
    ask('b');
    await prompted('a');
    input.write('y');
    expect(withdraw('a was answered elsewhere')).toBe(true);
    // Typed on, before the next one stands there.
    input.write('y\r');
    await prompted('b');
    expect(seen()).toMatch(/Approve\?.*\na was answered elsewhere\n\? b\nApprove\?/);
    expect(replies).toEqual([]);
    expect(withdraw('again')).toBe(false);
    input.write('n not this one\r');
    await expect.poll(() => replies, patience).toEqual([['b', { approved: false, note: 'not this one' }]]);
  });

  test('a question that never stood there goes without a word', async () => {
    const { ask, prompted, input, replies, seen } = terminal();
    ask('a');
    const withdraw = ask('b');
    await prompted('a');
    expect(withdraw('b was answered elsewhere')).toBe(true);
    input.write('y\r');
    await expect.poll(() => replies, patience).toHaveLength(1);
    ask('c');
    await prompted('c');
    expect(seen()).not.toMatch(/\? b|b was/);
  });

  test('an answer that is being taken cannot be withdrawn, and the next question waits for it', async () => {
    const { ask, prompted, input, questions, seen } = terminal();
    let take = () => {};
    const taken = new Promise<void>((resolve) => (take = resolve));
    let isTaking = false;
    const withdraw = ask('a', () => {
      isTaking = true;
      return taken;
    });
    ask('b');
    await prompted('a');
    input.write('y\r');
    await expect.poll(() => isTaking, patience).toBe(true);
    expect(withdraw('too late')).toBe(false);
    let isClosed = false;
    const closing = questions.close().then(() => (isClosed = true));
    await Promise.resolve();
    expect(isClosed).toBe(false);
    take();
    await closing;
    expect(seen()).not.toMatch(/\? b|too late/);
  });
});

test('while others have the terminal questions wait, and can be withdrawn; then they are asked', async () => {
  const { job, ask, prompted, input, replies, seen, questions } = terminal();
  job.isForeground = false;
  const withdraw = ask('gone');
  ask('ship');
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(withdraw('answered elsewhere')).toBe(true);
  expect(input.readableFlowing).toBeNull();
  job.isForeground = true;
  await prompted('ship');
  const waits = 'It is asked when this job is brought to the front.';
  expect(seen()).toMatch(
    new RegExp(`^\\? gone\\n${waits}\\nanswered elsewhere\\n(\\? ship\\n${waits}\\n)?\\? ship\\nApprove`),
  );
  input.write('y\n');
  await expect.poll(() => replies, patience).toEqual([['ship', { approved: true, note: '' }]]);
  job.isForeground = false;
  ask('never');
  await questions.close();
  expect(replies).toHaveLength(1);
});

test('Ctrl-C is passed on, from before there is a prompt as well', async () => {
  const { ask, prompted, input, questions, replies, interrupts } = terminal();
  input.write('\u0003');
  ask('a');
  await prompted('a');
  expect(interrupts).toHaveLength(1);
  input.write('y\u0003');
  await expect.poll(() => interrupts.length, patience).toBe(2);
  await questions.close();
  ask('b');
  input.write('y\r');
  await questions.close();
  expect(replies).toEqual([]);
});
