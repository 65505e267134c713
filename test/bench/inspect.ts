/** The viewer: how long a run takes to open, whatever its size, and how smoothly it is scrubbed in a real browser. */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fanOut } from '../../machines/fan-out.ts';
import type { Harness } from '../../src/harness/port.ts';
import { fileStore } from '../../src/journal/file.ts';
import type { JournalStore } from '../../src/journal/port.ts';
import { defineProcess } from '../../src/process/define-process.ts';
import { openRun } from '../../src/process/run.ts';
import { openRecording } from '../../src/view/open-recording.ts';
import { inTurns, rowOf, type Bench } from './measure/row.ts';
import { inFolder } from './measure/work-folder.ts';
import { record } from './replay-file.ts';
import { desk } from './work/desk.ts';
import { groupName, historyOf } from './work/history.ts';

/** The program and its page, as they are built; beside the folder of this package's lock file. */
function programOf(from: string): string | undefined {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'dist/bundle/main.js');
    if (existsSync(join(folder, 'package-lock.json'))) return existsSync(file) ? file : undefined;
  }
  return undefined;
}

/** The process that the history belongs to. */
const deskProcess = defineProcess('desk', async (ctx) => {
  await ctx.group(groupName, desk, { members: 8 }, { bounds: { incarnationsMax: 1_000_000 } }).output;
});

const browsers = [process.env['TROUPE_CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser'];

/** Writes a run of the desk's process with a history of `length` entries. */
async function writeDesk(store: JournalStore, length: number): Promise<void> {
  const journal = await store.open('desk', { create: true });
  const { epoch, release } = await journal.lease();
  const created = { process: deskProcess.name, input: null, engine: 'bench' };
  await journal.append('run', 0, epoch, [{ type: 'run.created', at: Date.UTC(2026, 0, 1), data: created }]);
  await release();
  await journal.close();
  await record(await store.open('desk'), historyOf('coordinator', length));
}

/** Entries a second scrubbed, as frames drawn in a second. */
async function framesPerSecond(url: string, executablePath: string): Promise<number> {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto(url);
    await page.waitForSelector('.statechart .state');
    const drawn: number = await page.evaluate(`new Promise((resolve) => {
      const range = document.querySelector('.track input');
      const last = Number(range.max);
      const startedMs = performance.now();
      let frames = 0;
      const step = () => {
        frames += 1;
        // Back and forth over the whole run, a little further with each frame.
        const share = Math.abs((((performance.now() - startedMs) / 4000 + 1) % 2) - 1);
        range.value = String(Math.round(last * share));
        range.dispatchEvent(new Event('input', { bubbles: true }));
        const elapsed = performance.now() - startedMs;
        if (elapsed < 8000) requestAnimationFrame(step);
        else resolve((frames / elapsed) * 1000);
      };
      requestAnimationFrame(step);
    })`);
    return drawn;
  } finally {
    await browser.close();
  }
}

/** Serves a run; resolves to its address, and ms from the start of the program until its overview was answered. */
async function serve(program: string, dir: string, run: string, more: readonly string[] = []) {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [program, 'inspect', run, '--json', '--data', dir, ...more], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      const found = /"url":"([^"]+)"/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error(`troupe inspect ended: ${said}`)));
  });
  const overview = (await (await fetch(`${url}api/overview`)).json()) as { readonly entries: number };
  await (await fetch(`${url}api/window?from=${Math.max(1, overview.entries - 499)}&to=${overview.entries}`)).json();
  return { url, ms: performance.now() - startedMs, entries: overview.entries, end: () => child.kill('SIGKILL') };
}

/** The bench. */
export const inspect: Bench = ({ smoke, row }) =>
  inFolder(async (dir) => {
    const length = smoke ? 2_000 : 100_000;
    const store = fileStore({ dir: `${dir}/desk` });
    await writeDesk(store, length);
    const bare = async () => {
      const journal = await store.open('desk');
      const startedMs = performance.now();
      let seen = 0;
      for await (const entries of journal.read()) seen += entries.length;
      await journal.close();
      if (seen < length) throw new Error(`${seen} entries`);
      return performance.now() - startedMs;
    };
    const measured = await inTurns(smoke ? 1 : 5, {
      async ours() {
        const startedMs = performance.now();
        const journal = await store.open('desk');
        const opened = openRecording({ journal, process: deskProcess });
        await opened.refresh();
        await opened.recording.window(length - 499, length);
        await journal.close();
        if (opened.recording.last().groups[groupName]?.actors[''] === undefined) throw new Error('no machine is shown');
        return performance.now() - startedMs;
      },
      bare,
    });
    const size = length.toLocaleString('en');
    const opening = { name: `open a run of ${size} entries in the viewer`, unit: 'ms', level: 'D0' } as const;
    row(
      rowOf(
        { ...opening, rivalName: 'the limit, 2 s', target: { atMost: 1 }, note: 'with its machine at each entry' },
        measured.ours,
        measured.ours.map(() => 2_000),
      ),
    );
    row(
      rowOf(
        { ...opening, name: `${opening.name}, beside reading it`, rivalName: 'reading and parsing its journal' },
        measured.ours,
        measured.bare,
      ),
    );

    const program = programOf(dirname(new URL(import.meta.url).pathname));
    if (program === undefined) {
      process.stderr.write('  left out: the program is not built (npm run build)\n');
      return;
    }
    const many = smoke ? 4_000 : 1_000_000;
    await writeDesk(fileStore({ dir: `${dir}/many` }), many);
    const shown: number[] = [];
    for (let round = 0; round < (smoke ? 1 : 3); round += 1) {
      const served = await serve(program, `${dir}/many`, 'desk');
      shown.push(served.ms);
      served.end();
    }
    row(
      rowOf(
        {
          name: `first view of a run of ${many.toLocaleString('en')} entries`,
          unit: 'ms',
          level: 'D0',
          rivalName: 'the limit, 2 s',
          target: { atMost: 1 },
          note: 'from the start of troupe inspect until a page of it is answered; the rest is read while it is looked at',
        },
        shown,
        shown.map(() => 2_000),
      ),
    );

    const browser = browsers.find((path) => path !== '' && existsSync(path));
    if (browser === undefined) {
      process.stderr.write('  left out: scrubbing in a browser; there is no Chromium (TROUPE_CHROMIUM)\n');
      return;
    }
    const members = smoke ? 30 : 300;
    const talks: Harness = {
      async perform({ mailbox, member }) {
        for (let said = 0; said < 31; said += 1)
          await mailbox.send({ to: 'coordinator', type: 'note', body: `${member} ${said}` });
        return { status: 'ok', output: null };
      },
    };
    const file = join(dir, 'talk.process.mjs');
    writeFileSync(file, talkProcess(members));
    const talking = defineProcess('talk', async (ctx) => {
      const ids = Array.from({ length: members }, (_, index) => ({ id: `m${index}`, harness: 'talks' }));
      await ctx.group('talk', fanOut, { members: ids, concurrency: 100 }).output;
    });
    const run = await openRun({
      store: fileStore({ dir: `${dir}/talk` }),
      process: talking,
      run: 'talk',
      harnesses: { talks },
    });
    await run.drive();
    await run.close();
    const served = await serve(program, `${dir}/talk`, 'talk', ['--file', file]);
    const fps = await framesPerSecond(served.url, browser);
    served.end();
    row(
      rowOf(
        {
          name: `scrubbing ${served.entries.toLocaleString('en')} entries of ${members} members`,
          unit: 'frames/s',
          level: 'D0',
          rivalName: 'the limit, 30/s',
          target: { atLeast: 1 },
          note: 'in Chromium, back and forth over the whole run',
        },
        [fps],
        [30],
      ),
    );
  });

/** The same process as a file: the viewer runs it over what is recorded, to find its machine. */
const talkProcess = (members: number) => `
import { defineProcess } from 'troupe';
import { fanOut } from 'troupe/machines';
export default defineProcess('talk', async (ctx) => {
  const ids = Array.from({ length: ${members} }, (_, index) => ({ id: 'm' + index, harness: 'talks' }));
  await ctx.group('talk', fanOut, { members: ids, concurrency: 100 }).output;
});
`;
