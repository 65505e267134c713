/**
 * Makes the pictures of the README: `npm run screenshots`, in a real browser. The review council in its own journal, where a reviewer has
 * just read what another found; a counterexample with its property lane; a machine that is stepped by hand.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { browserPath, withoutBrowser } from './browser-path.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pictures = fileURLToPath(new URL('../../../src/view/pictures/', import.meta.url));
if (browserPath === undefined) throw new Error(`no pictures were made${withoutBrowser}`);

const folder = mkdtempSync(join(tmpdir(), 'troupe-pictures-'));
const troupe = (...args: readonly string[]) =>
  spawn(process.execPath, ['dist/bundle/main.js', ...args, '--data', join(folder, 'data')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
const ended = async (...args: readonly string[]) => {
  const child = troupe(...args);
  child.stdout.setEncoding('utf8');
  let said = '';
  for await (const chunk of child.stdout as AsyncIterable<string>) said += chunk;
  if (child.exitCode === null) await once(child, 'exit');
  return said;
};
const written = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

/** Nobody is asked twice, somebody wrote; but a host may die. */
const verdict = `
import { fail, ok, outcomes, protocol } from 'troupe/check';
import { quorum } from 'troupe/machines';
const askedOnce = (s) => s.context.camps.length === 0 || Object.values(s.members).every(({ attempt }) => attempt < 2);
export default protocol({
  name: 'verdict',
  coordinator: quorum,
  input: { members: ['a', 'b', 'c'].map((id) => ({ id })), atLeast: 2 },
  members: { '*': outcomes(ok('ship'), ok('hold'), fail()) },
  faults: { hostCrash: 1 },
  checks: { noStaleTimer: false, replayDeterminism: false },
  properties: {
    always: { twoAgree: (s) => s.output === undefined || s.output.agreed.length === 2, askedOnce },
    sometimes: { oneHasVoted: (s) => s.context.camps.length > 0, ships: (s) => s.output?.value === 'ship' },
    eventually: { ends: (s) => s.status !== 'active' },
  },
});
`;

interface Picture {
  readonly name: string;
  readonly scheme: 'dark' | 'light';
  readonly width: number;
  readonly height: number;
  /** Goes to the place that is shown. */
  go(page: Page): Promise<void>;
}

/** Pictures what `troupe inspect` shows. */
async function pictured(browser: Browser, args: readonly string[], { name, scheme, go, ...viewport }: Picture) {
  const server = troupe('inspect', ...args, '--json');
  try {
    let url = '';
    for await (const chunk of server.stdout as AsyncIterable<Buffer>) {
      url = /"url":"([^"]+)"/.exec(chunk.toString('utf8'))?.[1] ?? '';
      if (url !== '') break;
    }
    const page = await browser.newPage({ viewport, colorScheme: scheme });
    await page.goto(url);
    await page.waitForSelector('.statechart .state');
    await go(page);
    await delay(500);
    await page.screenshot({ path: join(pictures, name) });
    process.stdout.write(`${name}\n`);
  } finally {
    server.kill();
  }
}

const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
try {
  const host = troupe('run', 'machines/examples/review-council.process.ts', '--run-id', 'council');
  host.stdout.setEncoding('utf8');
  let said = '';
  for await (const chunk of host.stdout as AsyncIterable<string>) {
    said += chunk;
    if (said.includes('waits for approval')) break;
  }
  await ended('approve', 'council', 'ship', '--note', 'after lunch');
  while (host.exitCode === null) await delay(50);
  await pictured(browser, ['council'], {
    name: 'inspect.png',
    scheme: 'light',
    width: 1400,
    height: 660,
    async go(page) {
      await page.keyboard.press('Home');
      for (let steps = 0; steps < 2; steps += 1) await page.keyboard.press('Shift+ArrowRight');
      await page.keyboard.press('w');
    },
  });

  const checked = await ended('check', written('verdict.check.mjs', verdict), '--json');
  const { runs } = JSON.parse(checked) as { readonly runs: Readonly<Record<string, string>> };
  await pictured(browser, [runs['askedOnce'] ?? ''], {
    name: 'counterexample.png',
    scheme: 'light',
    width: 1280,
    height: 780,
    async go(page) {
      await page.click('[role=tab]:has-text("entry")');
    },
  });

  const input = JSON.stringify({ members: ['a', 'b', 'c'].map((id) => ({ id })), atLeast: 2 });
  const machine = written('machine.mjs', `export { quorum } from 'troupe/machines';`);
  await pictured(browser, [machine, '--input', input], {
    name: 'what-if.png',
    scheme: 'dark',
    width: 1280,
    height: 480,
    async go(page) {
      await page.click('text=a succeeds');
      await page.click('text=c fails');
    },
  });
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
