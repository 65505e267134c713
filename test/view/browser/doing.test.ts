/** What is done in the page: answering, saving, watching, comparing, stepping by hand; what is masked; counterexamples. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { patience, program, project } from '../../cli/support.ts';
import { browserPath, withoutBrowser } from './browser-path.ts';
import { cursorOf, endsItsBrowser, watched } from './browser.ts';
import { council, inspected, ran, steps } from './stage.ts';

endsItsBrowser();

describe.skipIf(browserPath === undefined)(`doing things in the page${withoutBrowser}`, () => {
  test('without the token the page only looks; with it a gate is answered, after it was asked', async () => {
    const one = project({ 'steps.process.mjs': steps });
    const host = one.start('run', 'steps.process.mjs', '--run-id', 'steps', '--input', '{"waits":true}');
    await host.said('waits for approval');
    const looks = await inspected(one, 'steps');
    const first = await watched(looks.url);
    await first.page.click('.gate.open >> text=approve');
    expect(await first.page.textContent('.dialog')).toContain('--allow-control');

    const { url } = await inspected(one, 'steps', '--allow-control');
    const wrong = await watched(url.replace(/token=.*/, 'token=wrong'));
    await wrong.page.click('.gate.open >> text=approve');
    await wrong.page.click('.dialog .yes');
    await expect.poll(() => wrong.page.textContent('.dialog.error'), patience).toContain('token is missing or wrong');

    const right = await watched(url);
    await right.page.click('.gate.open >> text=approve');
    expect(await right.page.textContent('.dialog')).toContain('Approve gate go on?');
    await right.page.click('.dialog .yes');
    await expect.poll(() => right.page.textContent('.dialog'), patience).toContain('approval of go on is recorded');
    expect(await host.ended).toMatchObject({ code: 0 });
  });

  test('a gate is answered by keyboard alone: the question has the focus, Escape takes it back', async () => {
    const one = project({ 'steps.process.mjs': steps });
    const host = one.start('run', 'steps.process.mjs', '--run-id', 'steps', '--input', '{"waits":true}');
    await host.said('waits for approval');
    const { url } = await inspected(one, 'steps', '--allow-control');
    const { page } = await watched(url);
    const focused = () => page.evaluate('document.activeElement.textContent');
    await page.focus('.gate.open >> text=reject');
    await page.keyboard.press('Enter');
    await expect.poll(focused, patience).toBe('yes');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.dialog').count(), patience).toBe(0);
    await expect.poll(focused, patience).toBe('reject');
    await page.keyboard.press('Enter');
    await expect.poll(focused, patience).toBe('yes');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.textContent('.dialog'), patience).toContain('rejection of go on is recorded');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.dialog').count(), patience).toBe(0);
    expect(await host.ended).toMatchObject({ code: 0 });
  });

  test('what is said goes to whom the page names, whatever blanks stand in the name; another group has other members', async () => {
    const second = `await ctx.group('second', fanOut, { members: [{ id: 'x', harness: 'quick', prompt: 'x' }] }).output;`;
    const one = project({
      'steps.process.mjs': steps
        .replace("ctx.group('first'", "ctx.group('first  of two'")
        .replace('await first.output;', (text) => `${text} ${second}`),
    });
    await one.troupe('run', 'steps.process.mjs', '--run-id', 'steps', '--input', '{"names":["one","t  wo"]}');
    const { url } = await inspected(one, 'steps', '--allow-control');
    const { page } = await watched(url);
    await page.click('[role=tab]:has-text("control")');
    const chosen = (label: string) => page.locator(`.control select[aria-label="${label}"]`).inputValue();
    expect(await chosen('Group')).toBe('first  of two');
    await page.selectOption('.control select[aria-label="Recipient"]', { index: 3 });
    expect(await chosen('Recipient')).toBe('t  wo');
    await page.fill('.control input', 'hello');
    await page.click('.control >> text=send');
    expect(await page.textContent('.dialog p')).toBe('Send “hello” to t  wo of first  of two?');
    await page.keyboard.press('Escape');
    await page.selectOption('.control select[aria-label="Group"]', 'second');
    expect(await chosen('Recipient')).toBe('coordinator');
    await page.selectOption('.control select[aria-label="Group"]', 'first  of two');
    expect(await chosen('Group')).toBe('first  of two');
  });

  test('a blank presses what has the focus: a tick box, a fold', async () => {
    const one = await ran();
    const { url } = await inspected(one, 'steps');
    const { page } = await watched(url);
    const box = page.locator('.space-time [type=checkbox]');
    await box.focus();
    await page.keyboard.press(' ');
    expect(await box.isChecked()).toBe(false);
    await page.focus('.members summary');
    await page.keyboard.press(' ');
    expect(await page.locator('.members details').getAttribute('open')).toBeNull();
  });

  test('a drawing is saved as it is seen: SVG that stands alone, PNG', async () => {
    const one = await ran();
    const { url } = await inspected(one, 'steps');
    const { page, errors } = await watched(url);
    await page.waitForSelector('.statechart .state.active');
    const saved = async (as: 'PNG' | 'SVG', pane: string) => {
      const [file] = await Promise.all([page.waitForEvent('download'), page.click(`${pane} .save >> text=${as}`)]);
      return readFileSync(await file.path());
    };
    const svg = (await saved('SVG', '.chart')).toString('utf8');
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain('working');
    expect(svg).not.toContain('class=');
    const messages = (await saved('SVG', '.space-time')).toString('utf8');
    expect(messages).toContain('checkpoint');
    // The page has the lanes' names above the drawing; a file has nothing above it.
    expect(messages).toMatch(/>host<.*>process<.*>first<.*>one<.*>four</s);
    const [, top = '0'] = /viewBox="0 (-?\d+) /.exec(messages) ?? [];
    expect(Number(/<text[^>]* y="(-?\d+)"[^>]*>host</.exec(messages)?.[1])).toBeGreaterThan(Number(top));
    const [, head = ''] = /marker-end="url\(#([^)]+)\)"/.exec(messages) ?? [];
    expect(messages).toContain(`<marker id="${head}"`);
    const png = await saved('PNG', '.chart');
    expect([...png.subarray(1, 4)].map((code) => String.fromCodePoint(code)).join('')).toBe('PNG');
    expect(png.length).toBeGreaterThan(2_000);
    expect(errors).toEqual([]);
  });

  test('arrows have their heads where no machine is drawn', async () => {
    const one = await ran();
    one.write('steps.process.mjs', 'not a process any more');
    const { url } = await inspected(one, 'steps');
    const { page } = await watched(url);
    await page.waitForSelector('.space-time .row');
    expect(await page.locator('.statechart').count()).toBe(0);
    expect(await page.locator('.spacetime marker#message-arrow').count()).toBe(1);
  });

  test('a watched place shows what it was at the cursor, and one steps along its changes', async () => {
    const one = await ran();
    const { url } = await inspected(one, 'steps');
    const { page } = await watched(url);
    await page.click('[role=tab]:has-text("watch")');
    await page.fill('[aria-label="Watch expression"]', 'groups.first.members.one.status');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.textContent('.watch dd'), patience).toBe('completed');
    await page.click('[aria-label^="Previous change"]');
    await page.click('[aria-label^="Previous change"]');
    await expect.poll(() => page.textContent('.watch dd'), patience).toBe('running');
  });

  test('two runs side by side: where they part is told, and leads there', async () => {
    const one = await ran();
    await one.troupe(
      'run',
      'steps.process.mjs',
      '--run-id',
      'other',
      '--input',
      '{"names":["one","two","three","five"]}',
    );
    const { url } = await inspected(one, 'steps', '--with', 'other');
    const { page } = await watched(url);
    await page.click('[role=tab]:has-text("differences")');
    await expect.poll(() => page.textContent('.differences'), patience).toContain('four');
    const first = Number(await page.textContent('.differences td button'));
    await page.click('.differences td button');
    await expect.poll(() => cursorOf(page), patience).toBe(first);
    const same = await inspected(one, 'steps', '--with', 'steps');
    const alike = await watched(same.url);
    await alike.page.click('[role=tab]:has-text("differences")');
    await expect.poll(() => alike.page.textContent('.differences'), patience).toContain('Both runs do the same');
    // What could not be compared is not called the same.
    await alike.page.route('**/api/differences', (route) =>
      route.fulfill({ status: 500, json: { error: 'no answer' } }),
    );
    await alike.page.click('[role=tab]:has-text("members")');
    await alike.page.click('[role=tab]:has-text("differences")');
    await expect.poll(() => alike.page.textContent('.differences .warning'), patience).toContain('no answer');
    expect(await alike.page.textContent('.differences')).not.toContain('the same');
  });

  test('what is not to be seen is masked before it is sent or written: secrets of the environment, and what matches a pattern', async () => {
    const one = project({ 'steps.process.mjs': steps });
    await one.troupe(
      'run',
      'steps.process.mjs',
      '--run-id',
      'steps',
      '--input',
      '{"names":["s3cret-value-in-journal","patient-4711"]}',
    );
    const env = { SERVICE_API_KEY: 's3cret-value-in-journal' };
    const { url } = await inspected(one, { env }, 'steps', '--mask', 'patient-\\d+');
    for (const path of ['overview', 'window?from=1&to=99', 'entry?at=3']) {
      const text = await (await fetch(`${url}api/${path}`)).text();
      expect(text).not.toMatch(/s3cret-value|4711/);
    }
    const { page } = await watched(url);
    expect(await page.locator('.members tbody .name').allTextContents()).toEqual(['[redacted SERVICE_API_KEY]', '█']);
    for (const args of [
      ['inspect', 'steps', '--export', 'run.html'],
      ['export', 'steps', '--as', 'mermaid', '--out', 'run.html'],
    ]) {
      await one.spawn(process.execPath, [program, ...args, '--mask', 'patient-\\d+'], { env }).ended;
      expect(readFileSync(one.path('run.html'), 'utf8')).not.toMatch(/s3cret-value|4711/);
    }
    expect(await one.troupe('inspect', 'steps', '--mask', '(')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected --mask to be a regular expression'),
    });
  });

  test('a counterexample is opened where it is one, with its faults, and can be walked', async () => {
    const one = project({
      'council.check.mjs': council(`{ always: { never: (s) => s.status !== 'completed' } }`),
    });
    const checked = one.start('check', 'council.check.mjs', '--open');
    const said = await checked.said(/http:\/\/127/);
    const url = /http:\/\/127[^\s\u001b]+/.exec(said)?.[0] ?? '';
    const { page } = await watched(url);
    await page.click('[role=tab]:has-text("entry")');
    await expect.poll(() => page.textContent('.fault-badge'), patience).toContain('violation');
    await page.waitForSelector('.statechart .state');
    const at = await cursorOf(page);
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => cursorOf(page), patience).toBe(at - 1);
    await page.keyboard.press('v');
    await expect.poll(() => cursorOf(page), patience).toBe(at);
    checked.child.kill('SIGINT');
    expect(await checked.ended).toMatchObject({ code: 1 });
  });

  test('a machine file is stepped by hand, and a choice is taken back', async () => {
    const one = project({ 'machine.mjs': `export { race } from 'troupe/machines';` });
    const { url } = await inspected(one, 'machine.mjs', '--input', '{"members":[{"id":"hare"},{"id":"tortoise"}]}');
    const { page } = await watched(url);
    await page.click('text=hare succeeds');
    await page.waitForSelector('.statechart .state.final.active');
    await expect.poll(() => page.textContent('.what-if'), patience).toContain('Nothing: the group has ended');
    await page.click('text=take the last choice back');
    await page.waitForSelector('text=tortoise succeeds');
    expect(await page.locator('.statechart .state.final.active').count()).toBe(0);
  });
});
