/**
 * Makes the pictures of the README: `npm run screenshots`. The review council in its own journal, opened in a real browser where a reviewer has
 * just read what another found.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { browserPath, withoutBrowser } from './browser-path.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pictures = fileURLToPath(new URL('../../../src/view/pictures/', import.meta.url));
if (browserPath === undefined) throw new Error(`no pictures were made${withoutBrowser}`);

const data = mkdtempSync(join(tmpdir(), 'troupe-pictures-'));
const troupe = (...args: readonly string[]) =>
  spawn(process.execPath, ['dist/bundle/main.js', ...args, '--data', data], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
const ended = async (...args: readonly string[]) => {
  const child = troupe(...args);
  child.stdout.resume();
  await once(child, 'exit');
};

const host = troupe('run', 'machines/examples/review-council.process.ts', '--run-id', 'council');
host.stdout.setEncoding('utf8');
let said = '';
for await (const chunk of host.stdout as AsyncIterable<string>) {
  said += chunk;
  if (said.includes('waits for approval')) break;
}
await ended('approve', 'council', 'ship', '--note', 'after lunch');
while (host.exitCode === null) await delay(50);

const server = troupe('inspect', 'council', '--json');
let url = '';
for await (const chunk of server.stdout as AsyncIterable<Buffer>) {
  url = /"url":"([^"]+)"/.exec(chunk.toString('utf8'))?.[1] ?? '';
  if (url !== '') break;
}
const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
try {
  for (const [name, scheme, width, height] of [
    ['inspect.png', 'light', 1400, 820],
    ['inspect-dark.png', 'dark', 1000, 760],
  ] as const) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
    await page.goto(url);
    await page.waitForSelector('.statechart .state');
    await page.keyboard.press('Home');
    for (let steps = 0; steps < 2; steps += 1) await page.keyboard.press('Shift+ArrowRight');
    if (name === 'inspect.png') await page.keyboard.press('w');
    await delay(500);
    await page.screenshot({ path: join(pictures, name) });
    process.stdout.write(`${name}\n`);
  }
} finally {
  await browser.close();
  server.kill();
  rmSync(data, { recursive: true, force: true });
}
