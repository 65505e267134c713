/** The program on a real terminal of 80 by 24, made by script(1). */
import { expect, test } from 'vitest';
import { hasBash, hasTerminals, onTerminal } from './on-terminal.ts';
import { screen } from './screen.ts';
import { members, program, project, startedIn, workProcess } from './support.ts';

/** What was painted up to the end of the last whole frame: on a slow machine the first frame may show it all. */
const wholeFrames = (painted: string) => painted.slice(0, painted.lastIndexOf('\u001b[?2026l'));

const oneTo = (count: number) => Array.from({ length: count }, (_, index) => `m${index + 1}`);

test.skipIf(!hasTerminals)(
  'one picture is painted in place, then the result; colours, and the cursor comes back',
  async () => {
    const it = project({
      'work.process.mjs': workProcess.replace(
        'hello from $0',
        `${'\u001b[31m日本語\u001b[0m '.repeat(20)}hello from $0`,
      ),
    });
    const host = onTerminal(it, [
      'run',
      'work.process.mjs',
      '--run-id',
      'r1',
      '--input',
      members('a', 'bad-b', 'held'),
    ]);
    const painted = await host.said(/✓[^]*✗[^]*▶[^]*2026l/);
    const live = screen(24, 80);
    live.write(wholeFrames(painted));
    expect(live.lines()[0]).toMatch(/^run r1 · work · \d+\.\ds$/);
    expect(live.lines()[1]).toMatch(/^ {2}work {2}fan-out {2}[012]\/3/);
    expect(live.isCursorVisible()).toBe(false);
    expect(live.wrapped()).toBe(0);
    it.write('go', '');
    const { code, stdout } = await host.ended;
    expect(code).toBe(0);
    const seen = screen(24, 80);
    seen.write(stdout);
    const lines = [...seen.gone, ...seen.lines()];
    expect(lines.filter((line) => line.startsWith('run r1'))).toHaveLength(1);
    expect(lines[0]).toMatch(/^run r1 · work · completed in /);
    expect(lines[2]).toMatch(/^ {4}a {6}command {2}✓ \d\.\ds {4,5}日本語 /);
    expect(lines[3]).toMatch(/^ {4}bad-b {2}command {2}✗ \d\.\ds {4,5}exit code 3: /);
    expect(lines).toContain('  npx troupe show r1');
    expect(seen.isCursorVisible()).toBe(true);
    expect(stdout).toContain('\u001b[32m✓');
  },
);

test.skipIf(!hasTerminals)(
  'more members than rows: what runs, what ended last, and how many more; nothing scrolls',
  async () => {
    const it = project({ 'work.process.mjs': workProcess });
    const host = onTerminal(
      it,
      ['run', 'work.process.mjs', '--run-id', 'r1', '--input', members(...oneTo(30), 'held-1', 'held-2')],
      {},
      12,
    );
    const painted = await host.said(/30\/32[^]*held-2[^]*\+ \d+ more \(\d+ settled\)[^]*2026l/);
    const live = screen(12, 80);
    live.write(wholeFrames(painted));
    expect({ gone: live.gone, wrapped: live.wrapped() }).toEqual({ gone: [], wrapped: 0 });
    it.write('go', '');
    expect((await host.ended).code).toBe(0);
  },
);

test.skipIf(!hasTerminals)('Ctrl-C leaves the picture and the way to go on', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const host = onTerminal(it, ['run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a', 'held')]);
  await host.said(/✓[^]*▶[^]*hello from held/);
  host.child.stdin?.write('\u0003');
  const { code, stdout } = await host.ended;
  expect(code).toBe(130);
  const seen = screen(24, 80);
  seen.write(stdout.replaceAll('^C', ''));
  const lines = seen.lines();
  expect(lines[0]).toMatch(/^run r1 · work · /);
  expect(lines.slice(2, 4)).toEqual([
    expect.stringMatching(/^ {4}a {5}command {2}✓/),
    expect.stringMatching(/^ {4}held {2}command {2}‖/),
  ]);
  expect(lines.slice(4, 6).join('')).toMatch(
    /^stopping: 1 attempt cancelled, journal closed at \d+\. Go on with: npx troupe resume r1$/,
  );
  it.write('go', '');
  expect((await it.troupe('resume', 'r1')).code).toBe(0);
  expect(startedIn(it)).toEqual(['a', 'held', 'held']);
});

test.skipIf(!hasTerminals)('NO_COLOR takes the colours, a dumb terminal gets plain lines', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const colourless = await onTerminal(it, ['run', 'work.process.mjs'], { NO_COLOR: '1' }).ended;
  expect(colourless.stdout).not.toMatch(/\u001b\[[\d;]*m/);
  expect(colourless.stdout).toContain('\u001b[?2026h');
  const dumb = await onTerminal(it, ['run', 'work.process.mjs'], { TERM: 'dumb' }).ended;
  expect(dumb.stdout).not.toContain('\u001b');
  expect(dumb.stdout).toMatch(/ {2}work {2}settled {2}a ok hello from a\r\n/);
});

test.skipIf(!hasTerminals)(
  'a terminal that does not say how wide it is gets a picture and a log all the same',
  async () => {
    const it = project({ 'work.process.mjs': workProcess });
    const host = onTerminal(it, ['run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a')], {}, 0, 0);
    const { code, stdout } = await host.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/\u001b\[\dA/);
    expect(stdout).not.toMatch(/Infinity|NaN/);
    expect((await onTerminal(it, ['log', 'r1'], {}, 0, 0).ended).stdout).toMatch(/member\.settled.* {2}a ok/);
  },
);

test.skipIf(!hasTerminals || !hasBash)(
  'Ctrl-Z gives the terminal back; brought back, the picture leaves alone what the shell wrote',
  async () => {
    const it = project({ 'work.process.mjs': workProcess });
    const run = `'${process.execPath}' '${program}' run work.process.mjs --run-id r1 --input '${members('a', 'held')}'`;
    // A shell that watches over its jobs: it goes on when the run is stopped.
    it.write('shell.sh', `set -m\n${run}\necho the shell is here\nread answer\nfg > /dev/null\n`);
    const shell = it.spawn('script', ['-qec', 'stty rows 24 cols 80 -echo; exec bash shell.sh', '/dev/null'], {
      env: { TERM: 'xterm-256color' },
    });
    await shell.said(/✓[^]*▶[^]*2026l/);
    shell.child.stdin?.write('\u001a');
    const stopped = await shell.said('the shell is here');
    const meanwhile = screen(24, 80);
    meanwhile.write(stopped);
    expect(meanwhile.isCursorVisible()).toBe(true);
    expect(meanwhile.lines().some((line) => line.startsWith('run r1'))).toBe(false);
    shell.child.stdin?.write('\n');
    it.write('go', '');
    const { stdout } = await shell.ended;
    const seen = screen(24, 80);
    seen.write(stdout);
    const lines = [...seen.gone, ...seen.lines()];
    expect(lines).toContain('the shell is here');
    expect(lines.filter((line) => line.startsWith('run r1'))).toHaveLength(1);
    expect(seen.isCursorVisible()).toBe(true);
  },
);
