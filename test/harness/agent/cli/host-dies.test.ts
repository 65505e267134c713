/** The host is killed with SIGKILL while a CLI works: nothing of it outlives the next host, and its session goes on. */
import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll, afterEach, expect, test } from 'vitest';
import { verifyRun, type Entry, type JsonValue } from 'troupe';
import { fileStore } from 'troupe/journal';
import { testProgram } from '../../../support/programs.ts';
import { isAlive, marked, runId, temporaryFolder, until } from '../../support.ts';
import { hosted } from './hosted.ts';
import { steps } from './played.ts';

const folder = temporaryFolder();
const hosts = new Set<ChildProcess>();
const seed = Number(process.env['TROUPE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const rounds = Number(process.env['TROUPE_HOST_KILLS'] ?? 3);

afterEach(() => {
  for (const host of hosts) host.kill('SIGKILL');
  for (const pid of marked(runId)) process.kill(pid, 'SIGKILL');
});
afterAll(() => folder.remove());

const prompt = steps(
  { start: 'setsid sleep 300' },
  { say: 'Working' },
  { event: { type: 'usage', tokens: 10, isCumulative: true } },
  { ignoreSignals: true },
  { hang: true },
);

function startHost(run: string, env: Readonly<Record<string, string>>) {
  const args = [testProgram('cli-host'), folder.path, run, prompt];
  const host = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  hosts.add(host);
  let text = '';
  host.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return { host, said: new Promise<string>((resolve) => host.once('close', () => resolve(text))) };
}

async function entriesOf(run: string): Promise<readonly Entry[]> {
  const journal = await fileStore({ dir: folder.path }).open(run);
  try {
    const entries: Entry[] = [];
    for await (const batch of journal.read()) entries.push(...batch);
    return entries;
  } finally {
    await journal.close();
  }
}

/** A small generator: seed in, numbers from 0 to 1 out. */
function chance(from: number): () => number {
  let state = from;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

test(`killed ${rounds} times at random moments of a turn (seed ${seed})`, { timeout: 120_000 }, async () => {
  const random = chance(seed);
  for (let round = 0; round < rounds; round += 1) {
    const run = `${runId}-${round}`;
    const first = startHost(run, {});
    await until(() => marked(`${run}/`).length > 0);
    const killAt = performance.now() + random() * 1_500;
    await until(() => performance.now() > killAt);
    first.host.kill('SIGKILL');
    await first.said;
    const left = marked(`${run}/`);
    expect(left.length).toBeGreaterThan(0);

    const second = startHost(run, { PLAY_FINISH: '1' });
    const said = await second.said;
    expect(marked(`${run}/`)).toEqual([]);
    expect(left.filter(isAlive)).toEqual([]);

    const entries = await entriesOf(run);
    const data = (type: string) =>
      entries.flatMap((entry) => (entry.type === type ? [entry.data as Readonly<Record<string, JsonValue>>] : []));
    const sessions = data('attempt.session');
    const wasHeard = sessions.some(
      (one) => one['attempt'] === 1 && JSON.stringify(one['data']) === '{"isActive":true}',
    );
    const id = sessions[0]?.['session'] as string;
    expect(new Set(sessions.map(({ session }) => session))).toEqual(new Set([id]));
    expect(data('member.settled')).toHaveLength(1);
    expect(JSON.parse(said)).toMatchObject({
      status: 'completed',
      output: {
        results: [
          {
            output: wasHeard
              ? (expect.stringContaining(`resume ${id}: You were interrupted (this is attempt 2)`) as string)
              : `resume ${id}: all over again`,
          },
        ],
      },
    });
    await verifyRun({ store: fileStore({ dir: folder.path }), run, process: hosted });
  }
});
