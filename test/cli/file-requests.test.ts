import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fileRequests } from '../../src/process/file-requests.ts';

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-requests-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('letters are listed as they were posted, oldest first, until they are removed', async () => {
  const requests = fileRequests(join(place(), 'requests'));
  expect(await requests.list()).toEqual([]);
  const first = await requests.post({ type: 'cancel', reason: 'one' });
  const second = await requests.post({
    type: 'message',
    group: 'g',
    to: 'a',
    message: 'go',
    body: null,
    messageId: 'm1',
  });
  const listed = await requests.list();
  expect(listed).toHaveLength(2);
  expect(listed).toEqual([
    { id: first, type: 'cancel', reason: 'one' },
    { id: second, type: 'message', group: 'g', to: 'a', message: 'go', body: null, messageId: 'm1' },
  ]);
  expect(listed.map(({ id }) => id)).toEqual([first, second]);
  await requests.remove(first);
  await requests.remove(first);
  expect((await requests.list()).map(({ id }) => id)).toEqual([second]);
});

test('letters of one moment, or of a clock that goes back, keep their order', async () => {
  const requests = fileRequests(place());
  const posted: string[] = [];
  const soon = Date.now() + 1_000;
  const clock = vi.spyOn(Date, 'now');
  onTestFinished(() => clock.mockRestore());
  for (const now of [5, 5, 5, 5, 4, 3, 6]) {
    clock.mockReturnValue(soon + now);
    posted.push(await requests.post({ type: 'cancel', reason: 'x' }));
  }
  expect((await requests.list()).map(({ id }) => id)).toEqual(posted);
});

test('what is no letter is never told, and removed; what is half written is left alone', async () => {
  const folder = place();
  for (const [name, text] of Object.entries({
    'a.json': '{',
    'b.json': '[]',
    'c.json': 'null',
    'd.json': '{"type":"cancel"}',
    'e.json': '{"type":"signal","group":"g","event":{}}',
    'f.json': '{"type":"other"}',
    'deep.json': `{"type":"message","group":"g","to":"a","message":"m","body":${'['.repeat(600)}${']'.repeat(600)}}`,
    'g.draft': '{"type":"ca',
    'h.json': '{"type":"cancel","reason":"real"}',
  })) {
    writeFileSync(join(folder, name), text);
  }
  expect(await fileRequests(folder).list()).toEqual([{ id: 'h', type: 'cancel', reason: 'real' }]);
  expect(readdirSync(folder).toSorted()).toEqual(['g.draft', 'h.json']);
});

test('a folder that cannot be written is JOURNAL_IO', async () => {
  const file = join(place(), 'file');
  writeFileSync(file, '');
  await expect(fileRequests(file).post({ type: 'cancel', reason: 'x' })).rejects.toMatchObject({ code: 'JOURNAL_IO' });
});

test('a letter to a run that was removed is refused, and does not wait for the next run of its name', async () => {
  const run = join(place(), 'r1');
  await expect(fileRequests(join(run, 'requests')).post({ type: 'cancel', reason: 'x' })).rejects.toMatchObject({
    code: 'RUN_UNKNOWN',
  });
  expect(existsSync(run)).toBe(false);
});
