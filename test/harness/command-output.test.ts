import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, expect, test } from 'vitest';
import { command } from '../../src/harness/index.ts';
import { nodeAt, nothingIsLeft, outputOf, residentBytesPeak, shAt, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());
afterEach(nothingIsLeft);

const harness = command();

test('every byte reaches the file, whatever it is, also when both outputs write at once', async () => {
  const outputFile = folder.at('bytes');
  // Each output writes its own bytes, a block at a time: what belongs to which can be told apart.
  await harness.perform(
    nodeAt(
      `for (const [stream, odd] of [[process.stdout, 0], [process.stderr, 1]])
         for (let i = 0; i < 200; i++) stream.write(Buffer.from(Array.from({ length: 4096 }, (_, j) => ((i + j) % 64) * 2 + odd)))`,
      {},
      { outputFile },
    ),
  );
  const written = readFileSync(outputFile);
  for (const odd of [0, 1]) {
    const bytes = written.filter((byte) => byte % 2 === odd);
    expect(bytes).toHaveLength(200 * 4_096);
    const wanted = Buffer.from(
      Array.from({ length: 200 * 4_096 }, (_, at) => (((at >> 12) + (at % 4_096)) % 64) * 2 + odd),
    );
    expect(Buffer.compare(Buffer.from(bytes), wanted)).toBe(0);
  }
});

test('binary junk is kept as it is in the file, and is valid text in the outcome', async () => {
  const outputFile = folder.at('junk');
  const junk = Buffer.from(Array.from({ length: 60_000 }, (_, index) => (index * 7_919 + (index >> 8)) % 256));
  const attempt = nodeAt(
    `process.stdout.write(Buffer.from(Array.from({ length: 60000 }, (_, index) => (index * 7919 + (index >> 8)) % 256)))`,
    {},
    { outputFile },
  );
  const { stdout } = outputOf(await harness.perform(attempt));
  expect(Buffer.compare(readFileSync(outputFile), junk)).toBe(0);
  expect(stdout).toBe(junk.toString('utf8'));
});

test('a character that comes in pieces stays whole, in the outcome, the progress and beside the other output', async () => {
  const outputFile = folder.at('pieces');
  const attempt = nodeAt(
    `const bytes = Buffer.from('a😀ü€z'); let at = 0;
     const next = () => { if (at === bytes.length) return;
       process.stdout.write(bytes.subarray(at, ++at), () => process.stderr.write('.', () => setTimeout(next, 5))); };
     next();`,
    {},
    { outputFile },
  );
  const { stdout, stderr } = outputOf(await harness.perform(attempt));
  expect([stdout, stderr]).toEqual(['a😀ü€z', '.'.repeat(11)]);
  expect(attempt.lines.join('')).not.toContain('\ufffd');
  const written = readFileSync(outputFile, 'utf8');
  expect(written).not.toContain('\ufffd');
  expect(written.replaceAll('.', '')).toBe('a😀ü€z');
});

test('half a character at the very end is not lost', async () => {
  const outputFile = folder.at('half');
  const { stdout } = outputOf(await harness.perform(shAt("printf 'a\\342\\202'", {}, { outputFile })));
  expect(stdout).toBe('a\ufffd');
  expect(readFileSync(outputFile)).toEqual(Buffer.from([0x61, 0xe2, 0x82]));
});

test('the outcome keeps the end of each output, and says when something is missing', async () => {
  const small = command({ tailBytes: 10 });
  expect(outputOf(await small.perform(shAt('printf 0123456789')))).toMatchObject({
    stdout: '0123456789',
    truncated: false,
  });
  expect(outputOf(await small.perform(shAt('printf 0123456789a; printf b >&2')))).toMatchObject({
    stdout: '123456789a',
    stderr: 'b',
    truncated: true,
  });
  expect(outputOf(await small.perform(shAt('printf a; printf 0123456789b >&2')))).toMatchObject({
    stdout: 'a',
    stderr: '123456789b',
    truncated: true,
  });
  expect(outputOf(await small.perform(shAt('printf 01€€€€')))).toMatchObject({ stdout: '€€€', truncated: true });
});

test('the file is bounded, and says how much was left out', async () => {
  const outputFile = folder.at('bounded');
  const bounded = command({ outputBytesMax: 10 });
  await bounded.perform(shAt('printf 01234567; printf 89abcdef', {}, { outputFile }));
  expect(readFileSync(outputFile, 'utf8')).toBe('0123456789\n[6 more bytes were left out]\n');
});

test('two hundred megabytes of output fill neither memory nor disk', async () => {
  const outputFile = folder.at('huge');
  const before = residentBytesPeak();
  const outcome = await harness.perform(
    shAt('yes "a line of some forty characters, or so." | head -c 200000000', {}, { outputFile }),
  );
  expect(outputOf(outcome)).toMatchObject({ exitCode: 0, truncated: true });
  expect(outputOf(outcome)['stdout']).toHaveLength(65_536);
  const size = statSync(outputFile).size;
  expect(size).toBeGreaterThan(64 * 2 ** 20);
  expect(size).toBeLessThan(64 * 2 ** 20 + 100);
  expect(residentBytesPeak() - before).toBeLessThan(96 * 2 ** 20);
  expect(readFileSync(outputFile, 'latin1').slice(-60)).toMatch(/\n\[132891136 more bytes were left out\]\n$/);
});

test('progress is the last line that says something, plain and short', async () => {
  const lines: (string | undefined)[] = [];
  const said = folder.at('said');
  // It goes on once it was heard: on a busy machine two outputs would be read as one.
  const heard = (count: number) => `until [ -e '${said}-${count}' ]; do sleep 0.01; done`;
  const attempt = shAt(
    `printf 'one\\n\\n'; ${heard(1)}; printf '\\033[32m 50%%\\r\\033[1m100%%\\033[0m done\\t!\\033[K'; ${heard(2)}; printf '\\n%0500d' 7`,
    {},
    { progress: ({ line }) => writeFileSync(`${said}-${lines.push(line)}`, '') },
  );
  await harness.perform(attempt);
  expect(lines).toEqual(['one', '100% done !', `${'0'.repeat(199)}…`]);
});
