import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { randomOf } from 'troupe/check';
import { readEvents } from '../../../src/babysitter/run/read-run.ts';
import { openRunFolder } from '../../../src/babysitter/run/run-folder.ts';
import { testProgram } from '../../support/programs.ts';
import { loadSdk, newRunDir, temporary } from '../place.ts';
import { isSdkInstalled } from '../sdk/install.ts';

/** Kills an appender at a moment of its own, within a few of its appends. */
async function appendAndKill(runDir: string, batch: number, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [testProgram('appender'), runDir, String(batch)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await delay(afterMs);
  child.kill('SIGKILL');
  await once(child, 'close');
}

describe('a writer that is killed while it appends, 60 times', () => {
  test('leaves no run that cannot be read, and nothing that takes a place', { timeout: 180_000 }, async () => {
    const project = temporary();
    const sdk = isSdkInstalled ? loadSdk() : undefined;
    const bricked: string[] = [];
    let locksLeft = 0;
    let appended = 0;
    const lane = async (index: number) => {
      const runDir = await newRunDir(project, { run: `run-${index}` });
      const random = randomOf(`run-${index}`);
      for (let round = 0; round < 15; round += 1) {
        const afterMs = random.below(25_000) / 1_000;
        await appendAndKill(runDir, 1 + (round % 4), afterMs);
        if (readdirSync(runDir).includes('run.lock')) locksLeft += 1;
        try {
          appended = Math.max(appended, readEvents(runDir, { verify: true }).length);
          const names = readdirSync(join(runDir, 'journal'));
          expect(names.filter((name) => !name.endsWith('.json'))).toEqual([]);
          if (sdk === undefined) continue;
          // The stock reader, and then a stock writer behind it.
          expect((await sdk.loadJournal(runDir)).map(({ seq }) => seq)).toEqual(names.map((_, place) => place + 1));
          await sdk.appendEvent({ runDir, eventType: 'STOP_HOOK_INVOKED', event: { round } });
          readEvents(runDir);
        } catch (error) {
          bricked.push(`run-${index}, round ${round}, killed after ${afterMs.toFixed(2)} ms: ${String(error)}`);
        }
      }
      // Whoever comes next is not held up by the dead one's lock.
      await openRunFolder(runDir).append([{ type: 'GROUP_ENDED', data: {} }]);
    };
    await Promise.all([0, 1, 2, 3].map(lane));
    expect(bricked).toEqual([]);
    // Else nobody was killed in the middle of anything.
    expect(locksLeft).toBeGreaterThan(10);
    expect(appended).toBeGreaterThan(50);
  });
});
