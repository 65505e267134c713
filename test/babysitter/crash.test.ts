import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEvents } from 'troupe/babysitter';
import { randomOf } from 'troupe/check';
import { projectWith, twoGroups, twoGroupsOutput } from './project.ts';
import { loadSdk } from './place.ts';
import { isSdkInstalled } from './sdk/install.ts';

/** `npm run test:babysitter` asks for 50. */
const killsAtLeast = Number(process.env['TROUPE_BABYSITTER_KILLS'] ?? 10);

describe.skipIf(!isSdkInstalled)(`an orchestrator that is killed at random, ${killsAtLeast} times and more`, () => {
  test('goes on each time, and every run comes to what it comes to undisturbed', { timeout: 300_000 }, async () => {
    const sdk = loadSdk();
    let kills = 0;
    let runs = 0;
    const lane = async (index: number) => {
      const project = projectWith(twoGroups);
      while (kills < killsAtLeast) {
        const run = `run-${index}-${(runs += 1)}`;
        const random = randomOf(run);
        const runDir = await project.create(run);
        const moments: number[] = [];
        for (let attempt = 0; ; attempt += 1) {
          // Starting takes half a second or so; what is killed before that has done nothing.
          const afterMs = attempt < 12 ? 250 + random.below(1_200) : undefined;
          moments.push(Math.round(afterMs ?? 0));
          const { code, stdout, stderr } = await project.troupe(['babysit', runDir, '--json'], afterMs);
          const seen = `${run}, killed after ${moments.join(', ')} ms: ${stdout}${stderr}`;
          // The stock loader reads it, whatever was under way.
          const loaded = await sdk.loadJournal(runDir);
          expect(
            loaded.map(({ seq }) => seq),
            seen,
          ).toEqual(loaded.map((_, place) => place + 1));
          if (code === null) {
            kills += 1;
            continue;
          }
          expect(code, seen).toBe(0);
          break;
        }
        const seen = `${run}, killed after ${moments.join(', ')} ms`;
        expect(JSON.parse(readFileSync(join(runDir, 'state/output.json'), 'utf8')), seen).toEqual(twoGroupsOutput);
        const events = readEvents(runDir, { verify: true });
        const of = (wanted: string) => events.filter(({ type }) => type === wanted);
        expect(of('RUN_COMPLETED').length, seen).toBe(1);
        expect(of('EFFECT_RESOLVED').length, seen).toBe(of('EFFECT_REQUESTED').length);
        const settled = of('GROUP_MEMBER_SETTLED').map(({ data }) => data['eventId']);
        expect(new Set(settled).size, seen).toBe(6);
        // Told twice where a host died between telling and remembering, never run again once settled.
        expect(settled.length, seen).toBe(6);
      }
    };
    await Promise.all([0, 1, 2].map(lane));
    expect(kills).toBeGreaterThanOrEqual(killsAtLeast);
  });
});
