/** The property lane in a real browser: a counterexample opens at its violation, and each property is told at the cursor. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { patience, project, type Project } from '../../cli/support.ts';
import { browserPath, withoutBrowser } from './browser-path.ts';
import { cursorOf, endsItsBrowser, watched } from './browser.ts';
import { council, inspected } from './stage.ts';

endsItsBrowser();

const lowContrast = readFileSync(new URL('low-contrast.js', import.meta.url), 'utf8');
const hostile = '<img src=x onerror=alert(1)>';

const five = council(`{
  always: {
    fine: () => true,
    askedOnce: (s) => !(s.context.camps.length > 0 && Object.values(s.members).some(({ attempt }) => attempt > 1)),
  },
  sometimes: { aVoteIsIn: (s) => s.context.camps.length > 0, ships: (s) => s.output?.value === 'no' },
  eventually: { ends: (s) => s.status !== 'active' },
}`);

/** A project with one counterexample, and its run. */
async function checked(file: string): Promise<{ readonly one: Project; readonly run: string }> {
  const one = project({ 'council.check.mjs': file });
  const { stdout } = await one.troupe('check', 'council.check.mjs', '--json');
  const [run = ''] = Object.values((JSON.parse(stdout) as { readonly runs: Readonly<Record<string, string>> }).runs);
  return { one, run };
}

/** Rows as they are read: name and kind, and the state at the cursor. */
const rows = async (page: Page) =>
  (await page.locator('.property-lane > ul > li').all()).reduce<Promise<Record<string, string>>>(async (all, row) => {
    const [name, verdict] = await Promise.all([
      row.locator('.name').textContent(),
      row.locator('.verdict').textContent(),
    ]);
    return { ...(await all), [name ?? '']: verdict ?? '' };
  }, Promise.resolve({}));
const segments = (page: Page, name: string) =>
  page.locator('.property-lane li', { has: page.locator('.name', { hasText: name }) }).locator('.segment');

describe.skipIf(browserPath === undefined)(`the property lane in a browser${withoutBrowser}`, () => {
  test('a counterexample opens at its violation; each property has a row, and is told at the cursor', async () => {
    const one = project({ 'council.check.mjs': five });
    const command = one.start('check', 'council.check.mjs', '--open');
    const url = /http:\/\/127[^\s\u001b]+/.exec(await command.said(/http:\/\/127/))?.[0] ?? '';
    const { page, foreign, errors } = await watched(url);
    await page.waitForSelector('.property-lane');
    const end = await cursorOf(page);
    expect(await page.textContent('.bar .where')).toContain(`${end} / ${end}`);
    const defaults = Object.fromEntries(
      ['settledAtMostOnce', 'noUnhandled', 'noStaleTimer', 'replayDeterminism'].map((name) => [
        `${name} finding`,
        '✓ holds',
      ]),
    );
    expect(await rows(page)).toEqual({
      'askedOnce always': '✗ violated',
      'fine always': '✓ holds',
      'aVoteIsIn sometimes': '● met',
      'ships sometimes': '○ not yet met',
      'ends eventually': '… pending',
      'noDeadlock deadlock': '✓ holds',
      ...defaults,
    });
    // What is broken comes first, and the place where it broke is marked.
    expect(await page.locator('.property-lane .name').first().textContent()).toBe('askedOnce always');
    expect(await page.locator('.segment.violated').getAttribute('aria-label')).toBe(
      `askedOnce: violated, entries ${end - 1} to ${end}`,
    );
    expect(await page.locator('.annotation.fault').allTextContents()).toEqual([
      '✗ dies; the next replays',
      expect.stringContaining('✗ always askedOnce'),
    ]);
    // Back along the run, every row is what it was there.
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => cursorOf(page), patience).toBe(end - 2);
    expect(await rows(page)).toMatchObject({ 'askedOnce always': '✓ holds', 'aVoteIsIn sometimes': '● met' });
    await segments(page, 'aVoteIsIn').first().click();
    await expect.poll(async () => (await rows(page))['aVoteIsIn sometimes'], patience).toBe('○ not yet met');
    await page.keyboard.press('Home');
    await expect.poll(async () => new Set(Object.values(await rows(page))), patience).toEqual(new Set([' ']));
    await page.keyboard.press('v');
    await expect.poll(async () => (await rows(page))['askedOnce always'], patience).toBe('✗ violated');
    expect(foreign).toEqual([]);
    expect(errors).toEqual([]);
    command.child.kill('SIGINT');
    await command.ended;
  });

  test('by keyboard alone: along the changes, and to a stretch, which is told when it has the focus', async () => {
    const { one, run } = await checked(five);
    const { page } = await watched((await inspected(one, run)).url);
    await page.waitForSelector('.property-lane');
    const end = await cursorOf(page);
    const seen: number[] = [];
    for (let pressed = 0; pressed < 3; pressed += 1) {
      await page.keyboard.press('Shift+P');
      const before = seen.at(-1) ?? end;
      await expect.poll(() => cursorOf(page), patience).toBeLessThan(before);
      seen.push(await cursorOf(page));
    }
    expect(seen[0]).toBe(end - 1);
    await page.keyboard.press('p');
    await expect.poll(() => cursorOf(page), patience).toBe(seen[1]);
    const violated = page.locator('.segment.violated');
    await violated.focus();
    expect(await page.textContent('.property-lane .told')).toContain('askedOnce: violated');
    await page.keyboard.press('Enter');
    await expect.poll(() => cursorOf(page), patience).toBe(end - 1);
    // In words, for who does not look.
    await page.click('.property-lane summary');
    expect(await page.locator('.property-lane .outline li').first().textContent()).toBe(
      `always askedOnce: holds from entry ${seen[2]}; violated from entry ${end - 1}`,
    );
  });

  test('hostile names of properties are text, in the page and in the file, and break nothing', async () => {
    const { one, run } = await checked(
      council(`{
        always: { ['__proto__']: () => true, ${JSON.stringify(hostile)}: (s) => s.context.camps.length === 0 },
        sometimes: { constructor: () => true },
      }`),
    );
    expect(await one.troupe('inspect', run, '--export', 'run.html')).toMatchObject({ code: 0 });
    for (const url of [(await inspected(one, run)).url, pathToFileURL(one.path('run.html')).href]) {
      const { page, foreign, errors } = await watched(url);
      let isAlerted = false;
      page.on('dialog', (dialog) => {
        isAlerted = true;
        void dialog.dismiss();
      });
      await page.waitForSelector('.property-lane');
      expect(await rows(page)).toMatchObject({
        [`${hostile} always`]: '✗ violated',
        ['__proto__ always']: '✓ holds',
        'constructor sometimes': '● met',
      });
      await page.keyboard.press('Shift+P');
      await page.keyboard.press('Shift+P');
      await expect.poll(async () => (await rows(page))[`${hostile} always`], patience).toBe('✓ holds');
      expect(await page.locator('.property-lane img, .space-time img').count()).toBe(0);
      expect(isAlerted).toBe(false);
      expect(foreign).toEqual([]);
      expect(errors).toEqual([]);
    }
  });

  test('a way that goes round for ever is marked where it does', async () => {
    const { one, run } = await checked(`
      import { setup } from 'xstate';
      import { coordinator, member } from 'troupe';
      import { protocol } from 'troupe/check';
      const states = { looking: { after: { 10: 'waiting' } }, waiting: { after: { 20: 'looking' } }, found: { type: 'final' } };
      const polling = setup({ actors: { member } }).createMachine({ id: 'polling', initial: 'looking', on: { go: '.found' }, states });
      export default protocol({
        coordinator: coordinator(polling),
        input: null,
        messages: [{ type: 'go' }],
        properties: { eventually: { ends: (s) => s.status !== 'active' } },
      });`);
    const { page } = await watched((await inspected(one, run)).url);
    await page.waitForSelector('.property-lane');
    const end = await cursorOf(page);
    expect((await rows(page))['ends eventually']).toBe('✗ violated');
    const loop = page.locator('.property-lane .loop');
    expect(await loop.locator('.verdict').textContent()).toBe('↻ in it');
    await loop.locator('.segment').click();
    await expect.poll(() => cursorOf(page), patience).toBeLessThan(end);
    expect(await loop.locator('.segment').getAttribute('aria-label')).toBe(
      `entries ${await cursorOf(page)} to ${end} repeat for ever`,
    );
    expect((await rows(page))['ends eventually']).toBe('… pending');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => loop.locator('.verdict').textContent(), patience).toBe('');
    expect(await page.locator('.annotation').allTextContents()).toContainEqual(
      expect.stringMatching(/^↻ from here on/),
    );
  });

  test('a run that is no counterexample has no lane', async () => {
    const one = project({ 'machine.mjs': `export { race } from 'troupe/machines';` });
    const { url } = await inspected(one, 'machine.mjs', '--input', '{"members":[{"id":"hare"}]}');
    const { page, errors } = await watched(url);
    await page.waitForSelector('.statechart .state');
    expect(await page.locator('.property-lane').count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test.each([
    [1280, 800],
    [390, 844],
  ])(
    'at %i × %i nothing of it is cut off sideways, and all of it can be read, in light and dark',
    async (width, height) => {
      const long = 'aPropertyWhoseNameIsMuchLongerThanAnyPhoneIsWide'.repeat(3);
      const { one, run } = await checked(council(`{ always: { ${long}: (s) => s.context.camps.length === 0 } }`));
      const { page } = await watched((await inspected(one, run)).url, { width, height });
      await page.waitForSelector('.property-lane');
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        for (const part of ['.property-lane', '.property-lane li', '.segments'])
          expect(
            await page
              .locator(part)
              .first()
              .evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth),
          ).toBe(0);
        expect(await page.evaluate(lowContrast)).toEqual([]);
      }
      const [box, lane] = [
        await page.locator('.segment.violated').boundingBox(),
        await page.locator('.segments').first().boundingBox(),
      ];
      expect(box?.width).toBeGreaterThanOrEqual(16);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual((lane?.x ?? 0) + (lane?.width ?? 0) + 0.5);
    },
  );
});
