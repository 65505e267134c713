/** A real browser for tests: the Chromium that the machine has. */
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, onTestFinished } from 'vitest';
import { browserPath } from './browser-path.ts';

let browser: Promise<Browser> | undefined;
let isEnded = false;

/** To be called once by each file that looks at pages: the browser ends with it. A worker runs several files. */
export function endsItsBrowser(): void {
  isEnded = true;
  afterAll(async () => {
    const running = browser;
    browser = undefined;
    isEnded = false;
    await (await running)?.close();
  });
}

/** A page under watch: every request that it makes, and every error. */
export interface Watched {
  readonly page: Page;
  /** Addresses asked for, but those of the page itself and of data in it. */
  readonly foreign: readonly string[];
  readonly errors: readonly string[];
}

/** Opens an address in a page of its own; closed after the test. */
export async function watched(
  url: string,
  { width = 1280, height = 800 }: { readonly width?: number; readonly height?: number } = {},
): Promise<Watched> {
  if (!isEnded) throw new Error('expected endsItsBrowser() to be called at the top of this file: nobody would end it.');
  // Without its sandbox: in a container it has none to use.
  browser ??= chromium.launch({ executablePath: browserPath ?? '', args: ['--no-sandbox'] });
  const context = await (await browser).newContext({ viewport: { width, height }, colorScheme: 'light' });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const foreign: string[] = [];
  const errors: string[] = [];
  const origin = new URL(url).origin;
  page.on('request', (request) => {
    const asked = request.url();
    if (!/^(data|blob):/.test(asked) && asked.split('#')[0] !== url.split('#')[0] && new URL(asked).origin !== origin)
      foreign.push(asked);
  });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(url);
  await page.waitForSelector('.bar .where');
  return { page, foreign, errors };
}

/** The position of the cursor, as the page says it. */
export async function cursorOf(page: Page): Promise<number> {
  return Number((await page.textContent('.bar .where'))?.split('/')[0]?.replaceAll(/\D/g, ''));
}
