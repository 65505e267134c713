/** The page in a real browser: live and from disk, by mouse and by keyboard alone, with and without the token, and never a foreign request. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { patience, project } from '../../cli/support.ts';
import { browserPath, withoutBrowser } from './browser-path.ts';
import { cursorOf, endsItsBrowser, watched } from './browser.ts';
import { inspected, ran, steps } from './stage.ts';

endsItsBrowser();

/** What is focused, in the page. */
const focused = `(({ tagName, textContent, ariaLabel }) => tagName.toLowerCase() + ' ' + (tagName === 'BUTTON' ? textContent : ariaLabel))(document.activeElement)`;
/** Texts that stick out of the box they belong to, in the page. */
const textsOutside = `[...document.querySelectorAll('.statechart .state, .statechart .label')].flatMap((group) => {
  const box = group.querySelector(':scope > rect')?.getBBox();
  return [...group.querySelectorAll(':scope > text')].filter((text) => box !== undefined && (text.getBBox().x < box.x || text.getBBox().x + text.getBBox().width > box.x + box.width)).map((text) => text.textContent);
})`;
const lowContrast = readFileSync(new URL('low-contrast.js', import.meta.url), 'utf8');

describe.skipIf(browserPath === undefined)(`the page in a browser${withoutBrowser}`, () => {
  test('an ended run is shown at its end, every view is at the cursor, and nothing foreign is asked for', async () => {
    const one = await ran();
    const { url } = await inspected(one, 'steps');
    const { page, foreign, errors } = await watched(url);
    await page.waitForSelector('.statechart .state.active[data-id="fan-out.done"]');
    expect(await page.textContent('.bar .status')).toBe('completed');
    expect(await page.locator('.members tbody tr').count()).toBe(4);
    // To the first settlement: the group is at its work, and so is its chart.
    await page.keyboard.press('Home');
    await expect.poll(() => cursorOf(page), patience).toBe(0);
    expect(await page.textContent('.members .empty')).toContain('No group yet');
    for (let pressed = 0; pressed < 6; pressed += 1) await page.keyboard.press('ArrowRight');
    await expect.poll(() => cursorOf(page), patience).toBe(6);
    await page.waitForSelector('.statechart .state.active[data-id="fan-out.working"]');
    expect(await page.locator('.statechart .state.active[data-id="fan-out.done"]').count()).toBe(0);
    expect(await page.textContent('.bar .status')).toBe('active');
    expect(foreign).toEqual([]);
    expect(errors).toEqual([]);
  });

  test('a running run is followed: what comes is there, and who comes late has missed nothing', async () => {
    const one = project({ 'steps.process.mjs': steps });
    const host = one.start('run', 'steps.process.mjs', '--run-id', 'steps', '--input', '{"waits":true}');
    await host.said('waits for approval');
    const { url } = await inspected(one, 'steps');
    const { page, errors } = await watched(url);
    const before = await cursorOf(page);
    expect(await page.textContent('.gate.open')).toContain('Shall we?');
    expect(await page.textContent('.bar .what')).toContain('live');
    await one.troupe('approve', 'steps', 'go on');
    await host.ended;
    await expect.poll(() => page.textContent('.bar .status'), patience).toBe('completed');
    expect(await cursorOf(page)).toBeGreaterThan(before);
    await page.keyboard.press('Home');
    for (let pressed = 0; pressed < 3; pressed += 1) await page.keyboard.press('ArrowRight');
    await expect.poll(() => cursorOf(page), patience).toBe(3);
    expect(errors).toEqual([]);
  });

  test('an exported run opens from disk, whole, with the network out of reach', async () => {
    const one = await ran();
    expect(await one.troupe('inspect', 'steps', '--export', 'run.html')).toMatchObject({ code: 0, stderr: '' });
    const { page, foreign, errors } = await watched(pathToFileURL(one.path('run.html')).href);
    await page.context().setOffline(true);
    await page.waitForSelector('.statechart .state.active');
    await page.click('[role=tab]:has-text("journal")');
    expect(await page.locator('.journal li').count()).toBeGreaterThan(10);
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await page.click('[role=tab]:has-text("entry")');
    await expect.poll(() => page.textContent('.entry pre'), patience).toContain('run.created');
    expect(foreign).toEqual([]);
    expect(errors).toEqual([]);
  });

  test('a link to a place leads there in the page that is open; a server that ends is told, and one that is back is heard', async () => {
    const one = await ran();
    await one.troupe('run', 'steps.process.mjs', '--run-id', 'other', '--input', '{"names":["one"]}');
    const first = await inspected(one, 'steps', '--allow-control');
    const { page } = await watched(first.url);
    await page.evaluate(`location.hash = '#at=5'`);
    await expect.poll(() => cursorOf(page), patience).toBe(5);
    await expect.poll(() => page.url(), patience).toMatch(/#token=.+&at=5$/);
    await page.goBack();
    await expect.poll(() => cursorOf(page), patience).toBeGreaterThan(5);
    first.server.child.kill('SIGINT');
    await first.server.ended;
    await expect.poll(() => page.textContent('.bar'), patience).toContain('has ended, or cannot be reached');
    // Another run at the same address: nothing of the first is left.
    await inspected(one, 'other', '--port', new URL(first.url).port);
    await expect.poll(() => page.textContent('h1'), patience).toBe('run other');
    await expect.poll(() => page.locator('.members tbody .name').allTextContents(), patience).toEqual(['one']);
    expect(await page.locator('.bar .warning').count()).toBe(0);
  });

  test('texts of a statechart stay within their boxes, with the font that is there', async () => {
    const one = project({ 'machine.mjs': `export { supervisor } from 'troupe/machines';` });
    const { url } = await inspected(one, 'machine.mjs', '--input', '{"children":[{"id":"w"}]}');
    const { page } = await watched(url);
    await page.waitForSelector('.statechart .state');
    expect(await page.evaluate(textsOutside)).toEqual([]);
  });

  test('everything is there by keyboard alone: moves, jumps, why, the filter', async () => {
    const one = await ran();
    const { url } = await inspected(one, 'steps');
    const { page } = await watched(url);
    await page.keyboard.press('Home');
    await page.keyboard.press('c');
    await expect.poll(async () => (await page.textContent('.members .checkpoints')) ?? '', patience).toContain('●');
    const atFirst = await cursorOf(page);
    await page.keyboard.press('c');
    await expect.poll(() => cursorOf(page), patience).toBeGreaterThan(atFirst);
    await page.keyboard.press('Shift+C');
    await expect.poll(() => cursorOf(page), patience).toBe(atFirst);
    await page.keyboard.press('w');
    await expect.poll(() => page.textContent('.entry'), patience).toContain('The whole way here');
    // The filter has the keys before the next one can come, however busy the page is.
    const heardBy = await page.evaluate(`(async () => {
      dispatchEvent(new KeyboardEvent('keydown', { key: '/' }));
      for (let turn = 0; turn < 20; turn += 1) await undefined;
      return document.activeElement?.tagName;
    })()`);
    expect(heardBy).toBe('INPUT');
    await page.keyboard.type('checkpoint');
    await expect
      .poll(() => page.locator('.journal li .type').allTextContents(), patience)
      .toEqual(['checkpoint', 'checkpoint']);
    // Every control can be reached, and shows where it is.
    const reached = new Set<unknown>();
    for (let pressed = 0; pressed < 24; pressed += 1) {
      await page.keyboard.press('Shift+Tab');
      reached.add(await page.evaluate(focused));
    }
    expect([...reached]).toEqual(
      expect.arrayContaining([
        'button entry',
        'button |◀',
        'button play',
        'input Position in the journal',
        'select Group',
      ]),
    );
  });

  test('hostile names, prompts and outputs are text, in the page and in the file', async () => {
    const hostile = [
      '<img src=x onerror=alert(1)>',
      '</script><script>alert(2)</script>',
      '"><svg onload=alert(3)>',
      '{{constructor}}',
      '‮reversed',
    ];
    const one = await ran({ names: hostile });
    const { url } = await inspected(one, 'steps');
    await one.troupe('inspect', 'steps', '--export', 'run.html');
    for (const address of [url, pathToFileURL(one.path('run.html')).href]) {
      const { page, errors } = await watched(address);
      let isAlerted = false;
      page.on('dialog', (dialog) => {
        isAlerted = true;
        void dialog.dismiss();
      });
      for (const tab of ['members', 'journal', 'entry']) await page.click(`[role=tab]:has-text("${tab}")`);
      await page.keyboard.press('w');
      await page.click('[role=tab]:has-text("members")');
      const names = await page.locator('.members tbody .name').allTextContents();
      expect(names).toEqual(hostile);
      expect(await page.locator('.members img, .space-time img, .members script').count()).toBe(0);
      expect(isAlerted).toBe(false);
      expect(errors).toEqual([]);
    }
  });

  test.each([
    [1280, 800],
    [390, 844],
  ])('at %i × %i nothing is cut off sideways, in light and dark', async (width, height) => {
    const one = await ran();
    const { url } = await inspected(one, 'steps');
    const { page } = await watched(url, { width, height });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await page.evaluate(lowContrast)).toEqual([]);
    }
  });
});

describe.skipIf(browserPath === undefined)(`long names in a browser${withoutBrowser}`, () => {
  test.each([390, 1280])('at %i nothing is pushed out of sight by names of many letters', async (width) => {
    const long = (letter: string) => `'${letter.repeat(180)}'`;
    const one = project({
      'long.process.mjs': `
import { defineProcess } from 'troupe';
import { fanOut } from 'troupe/machines';
import { fn } from 'troupe/harness';
export const harnesses = { quick: fn(async (_task, { checkpoint, send }) => {
  await checkpoint({ name: ${long('c')}, settled: 1, total: 2 });
  await send({ to: '*', type: ${long('t')}, body: 1 });
}) };
export default defineProcess('long', async (ctx) => {
  await ctx.group(${long('g')}, fanOut, { members: [${long('m')}, 'b'].map((id) => ({ id, harness: 'quick' })) }).output;
  await ctx.breakpoint(${long('q')}, { question: ${long('Q')} });
});`,
    });
    const host = one.start('run', 'long.process.mjs', '--run-id', 'long');
    await host.said('waits for approval');
    const { url } = await inspected(one, 'long');
    const { page } = await watched(url, { width });
    for (const tab of ['members', 'journal', 'entry', 'control']) {
      await page.click(`[role=tab]:has-text("${tab}")`);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    }
    await page.click('[role=tab]:has-text("members")');
    // A member's state stands beside its name, and the whole question in its pane.
    expect(
      await page.evaluate(`document.querySelector('.members td .status').getBoundingClientRect().right`),
    ).toBeLessThan(width);
    expect(
      await page.evaluate(
        `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.members'))`,
      ),
    ).toBe(0);
    host.child.kill('SIGINT');
    await host.ended;
  });
});

test('the page that is shipped asks for nothing but itself: its policy says so', async () => {
  const one = await ran();
  await one.troupe('inspect', 'steps', '--export', 'run.html');
  const html = readFileSync(one.path('run.html'), 'utf8');
  expect(html).toContain(`default-src 'none'`);
  const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html) ?? [];
  expect(policy).not.toContain('unsafe-inline');
  expect(policy).not.toContain('unsafe-eval');
  expect(html.match(/<link[^>]*href="https?:/g) ?? []).toEqual([]);
});
