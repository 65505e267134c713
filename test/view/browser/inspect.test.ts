/** The page in a real browser: live and from disk, by mouse and by keyboard alone, with and without the token, and never a foreign request. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { patience, program, project, type Project, type Running } from '../../cli/support.ts';
import { browserPath, withoutBrowser } from './browser-path.ts';
import { cursorOf, watched } from './browser.ts';

/** What is focused, in the page. */
const focused = `(({ tagName, textContent, ariaLabel }) => tagName.toLowerCase() + ' ' + (tagName === 'BUTTON' ? textContent : ariaLabel))(document.activeElement)`;
/** Texts that stick out of the box they belong to, in the page. */
const textsOutside = `[...document.querySelectorAll('.statechart .state, .statechart .label')].flatMap((group) => {
  const box = group.querySelector(':scope > rect')?.getBBox();
  return [...group.querySelectorAll(':scope > text')].filter((text) => box !== undefined && (text.getBBox().x < box.x || text.getBBox().x + text.getBBox().width > box.x + box.width)).map((text) => text.textContent);
})`;
const lowContrast = readFileSync(new URL('low-contrast.js', import.meta.url), 'utf8');

const steps = `
import { defineProcess } from 'troupe';
import { fanOut } from 'troupe/machines';
import { fn } from 'troupe/harness';

export const harnesses = { quick: fn(async ({ prompt }, { progress }) => { progress('looks at ' + prompt); return prompt; }) };

export default defineProcess('steps', async (ctx, input) => {
  const names = input?.names ?? ['one', 'two', 'three', 'four'];
  const first = ctx.group('first', fanOut, { members: names.map((id) => ({ id, harness: 'quick', prompt: id })), concurrency: 2, checkpointEvery: 2 });
  await first.output;
  if (input?.waits === true) {
    const { approved } = await ctx.breakpoint('go on', { question: 'Shall we?' });
    if (!approved) return 'no';
  }
  return 'done';
});
`;

interface Shown {
  readonly url: string;
  readonly server: Running;
}

async function inspected(
  one: Project,
  ...given: readonly (string | { readonly env: NodeJS.ProcessEnv })[]
): Promise<Shown> {
  const args = given.filter((one) => typeof one === 'string');
  const options = given.find((one) => typeof one === 'object') ?? {};
  const server = one.spawn(process.execPath, [program, 'inspect', ...args, '--json'], options);
  const said = await server.said('"url"');
  const { url } = JSON.parse(said.split('\n').find((line) => line.includes('"url"')) ?? '{}') as {
    readonly url: string;
  };
  return { url, server };
}

async function ran(input: object = {}): Promise<Project> {
  const one = project({ 'steps.process.mjs': steps });
  await one.troupe('run', 'steps.process.mjs', '--run-id', 'steps', '--input', JSON.stringify(input));
  return one;
}

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
    expect((await saved('SVG', '.space-time')).toString('utf8')).toContain('checkpoint');
    const png = await saved('PNG', '.chart');
    expect([...png.subarray(1, 4)].map((code) => String.fromCodePoint(code)).join('')).toBe('PNG');
    expect(png.length).toBeGreaterThan(2_000);
    expect(errors).toEqual([]);
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
    await page.keyboard.press('/');
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
      'council.check.mjs': `
        import { fail, ok, outcomes, protocol } from 'troupe/check';
        import { quorum } from 'troupe/machines';
        export default protocol({
          name: 'council',
          coordinator: quorum,
          input: { members: [{ id: 'a' }, { id: 'b' }], atLeast: 2 },
          members: { '*': outcomes(ok('yes')) },
          faults: { hostCrash: 1 },
          properties: { always: { never: (s) => s.status !== 'completed' } },
        });`,
    });
    const checked = one.start('check', 'council.check.mjs', '--open');
    const said = await checked.said(/http:\/\/127/);
    const url = /http:\/\/127[^\s\u001b]+/.exec(said)?.[0] ?? '';
    const { page } = await watched(url);
    await page.click('[role=tab]:has-text("entry")');
    await expect.poll(() => page.textContent('.fault-badge'), patience).toContain('violation');
    expect(await page.locator('.statechart .state').count()).toBeGreaterThan(1);
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
