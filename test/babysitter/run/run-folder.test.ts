import { createHash } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { describe, expect, test, vi } from 'vitest';
import { isLeft } from '../../../src/babysitter/run/alive.ts';
import { readResult } from '../../../src/babysitter/run/effect-files.ts';
import { eventText } from '../../../src/babysitter/run/event-text.ts';
import { withRunLock } from '../../../src/babysitter/run/lock.ts';
import { eventFile, parseEventFile, parseTempFile, ulidAfter } from '../../../src/babysitter/run/names.ts';
import { readEvents } from '../../../src/babysitter/run/read-run.ts';
import { openRunFolder } from '../../../src/babysitter/run/run-folder.ts';
import { newRunDir, temporary, textOf } from '../place.ts';

/** A pid that was somebody's a moment ago. */
const deadPid = () => spawnSync('true').pid;
const checkpoint = (eventId: string) => ({ type: 'GROUP_CHECKPOINT', data: { eventId } });
const eventsIn = (runDir: string) => readdirSync(join(runDir, 'journal')).toSorted();

describe('an event on disk', () => {
  test('is byte for byte the published example, checksum and all', () => {
    const text = eventText({
      type: 'GROUP_MESSAGE',
      recordedAt: '2026-01-02T03:04:05.678Z',
      data: { groupId: 'grp_0123456789abcdef', messageId: 'm-1', from: 'alice', to: 'bob', body: 'hi' },
    });
    expect(text).toContain('"checksum": "3296c479fb5d7e71252059769ffdf4331f0f3c081f1b62cc699efcd1fd3b15ed"\n}\n');
    const unsigned = `${text.slice(0, text.indexOf(',\n  "checksum"'))}\n}\n`;
    expect(text).toContain(createHash('sha256').update(unsigned).digest('hex'));
  });

  test('has its place and ULID in its name, and nothing else has', () => {
    const name = eventFile({ seq: 7, ulid: '01J00000000000000000000000' });
    expect(name).toBe('000007.01J00000000000000000000000.json');
    expect(parseEventFile(name)).toEqual({ seq: 7, ulid: '01J00000000000000000000000' });
    expect(parseEventFile(`${name}.tmp-12-345`)).toBeUndefined();
    expect(parseTempFile(`${name}.tmp-12-345`)).toEqual({ pid: 12, seq: 7 });
    expect(parseTempFile(`${name}.tmp-12-345-1`)).toEqual({ pid: 12, seq: 7 });
  });

  test('has a ULID greater than the last one, also when the clock goes back', () => {
    let last: string | undefined;
    const now = Date.now();
    for (const atMs of [now, now, now - 60_000, now + 1, now - 1]) {
      const next = ulidAfter(last, atMs);
      expect(next).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
      if (last !== undefined) expect(next > last).toBe(true);
      last = next;
    }
    expect(ulidAfter('01J0000000000000000000000Z', 0)).toBe('01J00000000000000000000010');
  });

  test("names the run's harness, as babysitter's own events do", async () => {
    const runDir = await newRunDir(temporary(), { harness: 'claude-code' });
    await openRunFolder(runDir).append([checkpoint('a'), { type: 'GROUP_ENDED', data: { harness: 'mine' } }]);
    expect(readEvents(runDir).map(({ data }) => data['harness'])).toEqual(['claude-code', 'claude-code', 'mine']);
    expect(Object.keys(readEvents(runDir)[1]?.data ?? {})).toEqual(['harness', 'eventId']);
  });
});

describe('reading', () => {
  test('passes over what is not whole yet, and tells what is broken by name', async () => {
    const runDir = await newRunDir(temporary());
    const folder = openRunFolder(runDir);
    await folder.append([checkpoint('a'), checkpoint('b')]);
    writeFileSync(join(runDir, `journal/000004.01J00000000000000000000000.json.tmp-${process.pid}-1`), '{"ty');
    expect(folder.events().map(({ type }) => type)).toEqual(['RUN_CREATED', 'GROUP_CHECKPOINT', 'GROUP_CHECKPOINT']);
    const [, second = '', third = ''] = eventsIn(runDir);
    writeFileSync(join(runDir, 'journal', third), textOf(runDir, 'journal', third).replace('"b"', '"c"'));
    expect(readEvents(runDir).at(-1)?.data['eventId']).toBe('c');
    expect(() => readEvents(runDir, { verify: true })).toThrow(/JOURNAL_CORRUPT.*000003.*checksum/);
    rmSync(join(runDir, 'journal', second));
    expect(() => readEvents(runDir)).toThrow(
      /JOURNAL_CORRUPT: journal\/000003.*expected place 2.*repair-journal run-1/,
    );
  });

  test('refuses two events in one place, and a run directory of another layout', async () => {
    const runDir = await newRunDir(temporary());
    const [first = ''] = eventsIn(runDir);
    linkSync(join(runDir, 'journal', first), join(runDir, 'journal', `000001.7${first.slice(8)}`));
    expect(() => readEvents(runDir)).toThrow(/JOURNAL_CORRUPT.*a second event in place 1/);
    writeFileSync(join(runDir, 'run.json'), '{"layoutVersion":"2030"}');
    expect(() => openRunFolder(runDir)).toThrow(/JOURNAL_FORMAT.*expected layoutVersion.*got `2030`/);
    expect(() => openRunFolder(join(runDir, 'no'))).toThrow('RUN_UNKNOWN');
  });

  test('sees events that were given new places', async () => {
    const runDir = await newRunDir(temporary());
    const folder = openRunFolder(runDir);
    await folder.append([checkpoint('a'), checkpoint('b')]);
    expect(folder.events()).toHaveLength(3);
    for (const name of eventsIn(runDir).toReversed()) {
      const { seq = 0, ulid = '' } = parseEventFile(name) ?? {};
      if (seq === 2) rmSync(join(runDir, 'journal', name));
      if (seq === 3) renameSync(join(runDir, 'journal', name), join(runDir, 'journal', eventFile({ seq: 9, ulid })));
    }
    const [last = ''] = eventsIn(runDir).slice(-1);
    renameSync(join(runDir, 'journal', last), join(runDir, 'journal', `000002${last.slice(6)}`));
    expect(folder.events().map(({ data }) => data['eventId'])).toEqual([undefined, 'b']);
  });
});

describe('the lock', () => {
  test('of a dead process is taken over, that of a living one is waited for', async () => {
    const runDir = await newRunDir(temporary());
    const lock = join(runDir, 'run.lock');
    writeFileSync(lock, JSON.stringify({ pid: deadPid(), owner: 'a dead one', acquiredAt: '' }));
    await openRunFolder(runDir).append([checkpoint('a')]);
    writeFileSync(lock, JSON.stringify({ pid: process.ppid, owner: 'my parent', acquiredAt: '' }));
    const waiting = openRunFolder(runDir, { waitMs: 100 }).append([checkpoint('b')]);
    await expect(waiting).rejects.toThrow(new RegExp(`RUN_BUSY.*100 ms, now by pid ${process.ppid} \\(my parent\\)`));
    rmSync(lock);
    expect(readEvents(runDir)).toHaveLength(2);
  });

  test('of our own pid and older than we are is taken over: pids come again when a container is started again', async () => {
    const runDir = await newRunDir(temporary());
    const old = new Date(Date.now() - 86_400_000);
    const write = (name: string, text: string) => {
      writeFileSync(join(runDir, name), text);
      utimesSync(join(runDir, name), old, old);
    };
    write('run.lock', JSON.stringify({ pid: process.pid, owner: 'before', acquiredAt: old.toISOString() }));
    write(`journal/000002.01J00000000000000000000000.json.tmp-${process.pid}-${old.getTime()}`, '{');
    await openRunFolder(runDir, { waitMs: 100 }).append([checkpoint('a')]);
    expect(eventsIn(runDir)).toHaveLength(2);
    // What we hold ourselves is held, also when the clock was set back since we began.
    const clock = vi
      .spyOn(Date, 'now')
      .mockImplementation(() => performance.timeOrigin - 3_600_000 + performance.now());
    write('run.lock', JSON.stringify({ pid: process.pid, owner: 'we', acquiredAt: '' }));
    const halfAnHourAgo = new Date(performance.timeOrigin - 1_800_000);
    utimesSync(join(runDir, 'run.lock'), halfAnHourAgo, halfAnHourAgo);
    expect(isLeft(join(runDir, 'run.lock'), process.pid)).toBe(false);
    clock.mockRestore();
    expect(isLeft(join(runDir, 'run.lock'), process.pid)).toBe(true);
    rmSync(join(runDir, 'run.lock'));
    await withRunLock(runDir, 'we', async () => {
      await expect(withRunLock(runDir, 'we', () => 1, { waitMs: 100 })).rejects.toThrow('RUN_BUSY');
    });
  });

  test('that is empty is waited for as long as its writer may need, and no longer', async () => {
    const runDir = await newRunDir(temporary());
    const lock = join(runDir, 'run.lock');
    writeFileSync(lock, '');
    const soon = openRunFolder(runDir, { waitMs: 100 }).append([checkpoint('a')]);
    await expect(soon).rejects.toThrow(/RUN_BUSY.*a lock without a name/);
    const longAgo = Date.now() / 1_000 - 10;
    utimesSync(lock, longAgo, longAgo);
    await openRunFolder(runDir, { waitMs: 100 }).append([checkpoint('a')]);
    expect(eventsIn(runDir)).toHaveLength(2);
  });

  test('is never seen empty, and never held by two', async () => {
    const runDir = await newRunDir(temporary());
    let holders = 0;
    let isOver = false;
    const seen: string[] = [];
    const watching = (async () => {
      while (!isOver) {
        try {
          seen.push(readFileSync(join(runDir, 'run.lock'), 'utf8'));
        } catch {}
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await Promise.all(
      Array.from({ length: 20 }, () =>
        withRunLock(runDir, 'a test', async () => {
          holders += 1;
          expect(holders).toBe(1);
          await new Promise((resolve) => setTimeout(resolve, 2));
          holders -= 1;
        }),
      ),
    );
    isOver = true;
    await watching;
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.filter((text) => (JSON.parse(text) as { pid: number }).pid !== process.pid)).toEqual([]);
  });
});

describe('writing', () => {
  test('removes what a dead writer of babysitter has begun, and waits for a living one', async () => {
    const runDir = await newRunDir(temporary());
    const folder = openRunFolder(runDir);
    const begun = (pid: number | undefined) =>
      join(runDir, `journal/000002.01J00000000000000000000000.json.tmp-${pid}-1`);
    writeFileSync(begun(deadPid()), '{');
    await folder.append([checkpoint('a')]);
    expect(eventsIn(runDir).map((name) => name.slice(0, 6))).toEqual(['000001', '000002']);
    const theirs = begun(process.ppid).replace('000002', '000003').replace('01J', '7ZZ');
    writeFileSync(theirs, eventText({ type: 'STOP_HOOK_INVOKED', recordedAt: '', data: {} }));
    const waiting = folder.append([checkpoint('b')]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    renameSync(theirs, theirs.replace(/\.tmp-.*/, ''));
    await waiting;
    expect(folder.events().map(({ type }) => type)).toEqual([
      'RUN_CREATED',
      'GROUP_CHECKPOINT',
      'STOP_HOOK_INVOKED',
      'GROUP_CHECKPOINT',
    ]);
  });

  test('mending removes what would brick the run for babysitter itself', async () => {
    const runDir = await newRunDir(temporary());
    const name = `000002.01J00000000000000000000000.json.tmp-${deadPid()}-1`;
    writeFileSync(join(runDir, 'journal', name), '{');
    expect(await openRunFolder(runDir).mend()).toEqual([name]);
    expect(eventsIn(runDir)).toHaveLength(1);
  });

  test('many at once from one process come one after the other', async () => {
    const runDir = await newRunDir(temporary());
    await Promise.all(Array.from({ length: 30 }, (_, n) => openRunFolder(runDir).append([checkpoint(String(n))])));
    const events = readEvents(runDir, { verify: true });
    expect(new Set(events.map(({ data }) => data['eventId']))).toHaveLength(31);
  });
});

describe('a file that is larger than the disk has room for', () => {
  test('is an error, and nothing of it gets a name', async () => {
    const runDir = await newRunDir(temporary());
    const program = `
      import { openRunFolder } from './src/babysitter/run/run-folder.ts';
      const data = { text: 'x'.repeat(3_000_000) };
      await openRunFolder(process.argv[1]).append([{ type: 'GROUP_ENDED', data }]).then(() => 'written', ({ code, details }) => code + ' ' + details.errno).then(console.log);
    `;
    // As a full disk does: the first write takes 1 MiB, and says so.
    const args = [
      '-c',
      'ulimit -f 1024; exec "$@"',
      'bash',
      process.execPath,
      '--import',
      'tsx',
      '--input-type=module',
    ];
    const { stdout } = spawnSync('bash', [...args, '--eval', program, runDir], { encoding: 'utf8' });
    expect(stdout).toBe('JOURNAL_IO EFBIG\n');
    expect(readEvents(runDir)).toHaveLength(1);
    expect(readdirSync(join(runDir, 'troupe/staging'))).toEqual([]);
  });
});

describe('committing', () => {
  const requested = (effectId: string) => ({
    type: 'EFFECT_REQUESTED',
    data: {
      effectId,
      invocationKey: `demo:S1:${effectId}`,
      stepId: 'S1',
      taskId: effectId,
      kind: 'node',
      taskDefRef: 'x',
    },
  });

  test('records a result once', async () => {
    const runDir = await newRunDir(temporary());
    const folder = openRunFolder(runDir);
    await folder.append([requested('one')]);
    const ok = { status: 'ok', value: { b: 1, a: null }, stdout: 'said', metadata: { x: 1 } } as const;
    expect(await folder.commit('one', ok)).toBe(true);
    expect(await folder.commit('one', { status: 'error', error: { name: 'Error', message: 'late' } })).toBe(false);
    expect(JSON.parse(textOf(runDir, 'tasks/one/result.json'))).toEqual({
      schemaVersion: '2026.01.results-v1',
      effectId: 'one',
      taskId: 'one',
      invocationKey: 'demo:S1:one',
      status: 'ok',
      result: { a: null, b: 1 },
      value: { a: null, b: 1 },
      stdoutRef: 'tasks/one/stdout.log',
      metadata: { x: 1 },
    });
    expect(folder.index().effects.get('one')?.status).toBe('ok');
    await expect(folder.commit('two', ok)).rejects.toThrow('BAD_INPUT: run run-1 has no effect `two`');
  });

  test('a result over 1 MiB stands in a file of its own', async () => {
    const runDir = await newRunDir(temporary());
    const folder = openRunFolder(runDir);
    await folder.append([requested('one')]);
    await folder.commit('one', { status: 'ok', value: 'x'.repeat(1.1 * 2 ** 20) });
    const result = JSON.parse(textOf(runDir, 'tasks/one/result.json')) as { result?: string; resultRef: string };
    expect(result.result).toBeUndefined();
    expect(textOf(runDir, result.resultRef)).toHaveLength(Math.floor(1.1 * 2 ** 20) + 3);
    expect(readResult(runDir, 'one')?.value).toHaveLength(Math.floor(1.1 * 2 ** 20));
  });
});
