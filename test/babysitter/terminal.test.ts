/** Breakpoints of a babysitter run at a real terminal, made by script(1). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openRunFolder, readEvents } from 'troupe/babysitter';
import { fileRequests } from '../../src/process/file-requests.ts';
import { hasTerminals, onTerminal } from '../cli/on-terminal.ts';
import { screen } from '../cli/screen.ts';
import { lastJson, patience, project, type Running } from '../cli/support.ts';
import { projectWith } from './project.ts';
import { isSdkInstalled } from './sdk/install.ts';
import { playedProject, type PlayedEffect, type PlayedProject } from './played-sdk.ts';

const env = { CI: '', NO_COLOR: '1' };
const ship: PlayedEffect = { label: 'ship', asks: { question: 'Ship it?' } };
const prompt = 'Approve? [y]es / [n]o / [l]ater, and a note if you like: ';

/** What `text` looks like on a terminal. */
function shown(text: string): string {
  const seen = screen(200, 80);
  seen.write(text);
  return seen.lines().join('\n').trimEnd();
}

/** Waits until a prompt stands last on the terminal, below what `pattern` says. */
async function prompted(driven: Running, pattern: string, last = prompt): Promise<void> {
  const literal = last.replaceAll(/[?[\]()]/g, String.raw`\$&`);
  await driven.said(new RegExp(String.raw`${pattern}[^]*${literal}(?:\u001b\[\d+G)?$`));
}

const type = (driven: Running, text: string) => void driven.child.stdin?.write(text);

/** Data of what the run of the effects has recorded at its gates, by type. */
async function gates({ troupe, dir }: PlayedProject) {
  const { stdout } = await troupe('log', 'effects', '--data', join(dir, 'troupe'), '--json');
  const entries = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; data: Record<string, unknown> });
  const of = (name: string) => entries.flatMap(({ type: one, data }) => (one === name ? [data] : []));
  return { opened: of('gate.opened'), answered: of('gate.answered'), refused: of('request.refused') };
}

const approve = ({ troupe, dir, gate }: PlayedProject, ...more: readonly string[]) =>
  troupe('approve', 'effects', gate('ship'), '--data', join(dir, 'troupe'), ...more);

describe.skipIf(!hasTerminals)('breakpoints at the terminal', { timeout: 60_000 }, () => {
  test('are asked one after the other, while other effects go on, commit and are told above', async () => {
    const it = await playedProject([
      { label: 'ship', asks: { title: 'Release', question: 'Ship it?', version: 2, files: ['a.ts', 'b.ts'] } },
      { label: 'tweet', asks: 'Tell everybody?' },
      { label: 'held', command: 'while [ ! -e go ]; do sleep 0.02; done; echo held' },
    ]);
    const driven = onTerminal(it, it.babysit, env);
    await prompted(driven, 'Ship it');
    type(driven, 'y after');
    it.write('go', '');
    await driven.said(/shell held {2}ok/);
    // Committed while the question stands there, and what was typed stands behind it again.
    expect(readEvents(it.dir).filter(({ type: one }) => one === 'EFFECT_RESOLVED')).toHaveLength(1);
    type(driven, ' lunch\r');
    await prompted(driven, 'Tell everybody');
    type(driven, 'perhaps\r');
    await prompted(driven, 'Please answer y, n or l; “perhaps” is none of them, or more than one\\.');
    type(driven, 'n\r');
    await prompted(driven, 'perhaps', 'Why not? (Enter for no reason): ');
    type(driven, 'not yet\r');
    const { code, stdout } = await driven.ended;
    expect(code).toBe(0);
    const text = shown(stdout);
    expect(text).toMatch(
      /\n\? Release: Ship it\? {2}ship 000000\n {4}version: 2\n {4}files:\n {6}- a\.ts\n {6}- b\.ts\n\S+ {2}shell held {2}ok\nApprove.*ater, and a note if you like: y after lunch\n/,
    );
    expect(text.match(/shell held {2}ok/g)).toHaveLength(1);
    expect(text).toMatch(/ship 000000 {2}approved, “after lunch”/);
    expect(text).toMatch(/tweet 000001 {2}rejected, “not yet”/);
    expect(text).toMatch(/- approved: true\n {2}feedback: after lunch\n[^]*- approved: false\n {2}feedback: not yet/);
    const { opened, answered } = await gates(it);
    expect(opened).toHaveLength(2);
    expect(answered).toEqual([
      { name: it.gate('ship'), approved: true, note: 'after lunch', by: 'outside' },
      { name: it.gate('tweet'), approved: false, note: 'not yet', by: 'outside' },
    ]);
  });

  test.each([
    ['later', 'l\r'],
    ['Ctrl-D', '\u0004'],
  ])('%s leaves a breakpoint to troupe approve', async (_, typed) => {
    const it = await playedProject([ship]);
    const driven = onTerminal(it, it.babysit, env);
    await prompted(driven, 'Ship it');
    type(driven, typed);
    await driven.said(/is left open: troupe approve effects 'ship 000000' --data/);
    expect((await gates(it)).answered).toEqual([]);
    expect(await approve(it, '--note', 'now')).toMatchObject({ code: 0 });
    expect(await driven.ended).toMatchObject({ code: 0 });
    expect((await gates(it)).answered).toHaveLength(1);
  });

  test('answered by troupe approve meanwhile, the question is withdrawn; the next one takes nothing of what was typed', async () => {
    const it = await playedProject([ship, { label: 'tweet', asks: { question: 'Tell everybody?' } }]);
    const driven = onTerminal(it, it.babysit, env);
    await prompted(driven, 'Ship it');
    type(driven, 'y');
    expect(await approve(it, '--reject', '--note', 'no \u001b[31mred')).toMatchObject({ code: 0 });
    await driven.said('was answered elsewhere: rejected, “no red”; the question is withdrawn');
    await prompted(driven, 'Tell everybody');
    type(driven, '\r');
    await prompted(driven, 'Please answer y, n or l\\.');
    type(driven, 'y\r');
    expect(await driven.ended).toMatchObject({ code: 0 });
    expect((await gates(it)).answered).toMatchObject([{ approved: false }, { approved: true }]);
  });

  test('an effect that somebody else has resolved is asked no more', async () => {
    const wait = (file: string) => `while [ ! -e ${file} ]; do sleep 0.02; done`;
    const it = await playedProject([
      ship,
      { label: 'held', command: wait('go') },
      { label: 'longer', command: wait('end') },
    ]);
    const driven = onTerminal(it, it.babysit, env);
    await prompted(driven, 'Ship it');
    const [effectId = ''] = openRunFolder(it.dir).index().effects.keys();
    expect(await openRunFolder(it.dir).commit(effectId, { status: 'ok', value: 'by hand' })).toBe(true);
    it.write('go', '');
    await driven.said('ship 000000  was resolved elsewhere; the question is withdrawn');
    it.write('end', '');
    const { code, stdout } = await driven.ended;
    expect(code).toBe(0);
    expect(shown(stdout)).toContain('- by hand');
  });

  test('of two answers at once one counts, and whoever gave the other is told', async () => {
    const it = await playedProject([ship]);
    const driven = onTerminal(it, it.babysit, env);
    await prompted(driven, 'Ship it');
    const letters = fileRequests(join(it.dir, 'troupe/runs/effects/requests'));
    await letters.post({ type: 'answer', gate: it.gate('ship'), approved: false, note: 'first' });
    type(driven, 'y\r');
    const { code, stdout } = await driven.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/ship 000000 {2}was answered elsewhere(?: a moment before|: rejected, “first”)/);
    expect(stdout).not.toMatch(/ship 000000 {2}approved/);
    expect((await gates(it)).answered).toMatchObject([{ approved: false, note: 'first' }]);
  });

  test('Ctrl-C at the question stops the drive; the next one asks again', async () => {
    const it = await playedProject([ship]);
    const driven = onTerminal(it, it.babysit, env);
    await prompted(driven, 'Ship it');
    type(driven, 'y\u0003');
    const { code, stdout } = await driven.ended;
    expect(code).toBe(130);
    expect(shown(stdout)).toMatch(/if you like: y\nstopped; go on with npx troupe babysit /);
    expect((await gates(it)).answered).toEqual([]);
    const again = onTerminal(it, it.babysit, env);
    await prompted(again, 'Ship it');
    type(again, 'y\r');
    expect(await again.ended).toMatchObject({ code: 0 });
    expect(await gates(it)).toMatchObject({ opened: [{}], answered: [{ approved: true }] });
  });

  test.each([0, 20, 60, 120, 200, 260])('killed %i ms after the answer, it is recorded once', async (ms) => {
    const it = await playedProject([ship]);
    const driven = onTerminal(it, it.babysit, env);
    await prompted(driven, 'Ship it');
    type(driven, 'y sure\r');
    await delay(ms);
    try {
      process.kill(Number(readFileSync(it.path('pid'), 'utf8')), 'SIGKILL');
    } catch {
      // It was done already.
    }
    await driven.ended;
    const again = onTerminal(it, it.babysit, env);
    const question = prompted(again, 'Ship it').then(() => type(again, 'y again\r'));
    question.catch(() => {});
    expect(await again.ended).toMatchObject({ code: 0 });
    const { opened, answered } = await gates(it);
    expect({ opened: opened.length, answered: answered.length }).toEqual({ opened: 1, answered: 1 });
    expect(['sure', 'again']).toContain(answered[0]?.['note']);
    expect(readEvents(it.dir).filter(({ type: one }) => one === 'EFFECT_RESOLVED')).toHaveLength(1);
  });

  test('what a process asks cannot write elsewhere on the terminal', async () => {
    const hostile = '\u001b[2J\u001b]0;owned\u0007Go\u202e\r\non?\u001b[';
    const it = await playedProject([
      { label: `a\u001b[1A\nb`, asks: { title: hostile, question: hostile, [hostile]: { deep: [hostile] } } },
    ]);
    const driven = onTerminal(it, it.babysit, { ...env, TERM: 'dumb' });
    await prompted(driven, 'deep');
    type(driven, 'y\n');
    const { code, stdout } = await driven.ended;
    expect(code).toBe(0);
    expect(stdout.replaceAll('\r\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(stdout).toMatch(/\r\n\? Go {1,2}on\?: Go {1,2}a b 000000\r\n {2}on\?\r\n/);
    expect((await gates(it)).answered).toMatchObject([{ name: 'a b 000000', approved: true }]);
  });

  test('nothing is asked with --no-input or --json, in CI, or where input or output is no terminal', async () => {
    for (const [more, how] of [
      [['--no-input'], env],
      [['--json'], env],
      [[], { ...env, CI: 'true' }],
    ] as const) {
      const it = await playedProject([ship]);
      const driven = onTerminal(it, [...it.babysit, ...more], how);
      await expect.poll(async () => (await approve(it)).code, patience).toBe(0);
      const ended = await driven.ended;
      expect(ended.code).toBe(0);
      expect(ended.stdout).not.toContain('Approve?');
      if (more.includes('--json' as never)) expect(lastJson(ended)).toMatchObject({ status: 'completed' });
    }
    const it = await playedProject([ship]);
    const driven = it.start(...it.babysit);
    await expect.poll(async () => (await approve(it)).code, patience).toBe(0);
    expect((await driven.ended).stdout).not.toContain('Approve?');
  });
});

test.skipIf(!hasTerminals || !isSdkInstalled)(
  'with the stock SDK from npm a breakpoint is asked at the terminal',
  async () => {
    const { folder, create } = projectWith(`
    export async function process(inputs, ctx) {
      const { approved, response } = await ctx.breakpoint({ question: 'Ship?', version: 2 }, { label: 'ship' });
      return [approved, response];
    }
  `);
    const runDir = await create('run-1');
    const driven = onTerminal(project(), ['babysit', runDir], { ...env, HOME: folder, BABYSITTER_LOG_LEVEL: 'error' });
    await prompted(driven, 'Ship');
    type(driven, 'n not on Friday\r');
    const { code, stdout } = await driven.ended;
    expect(code).toBe(0);
    expect(shown(stdout)).toMatch(/\n\? Ship\? {2}ship \w{6}\n {4}version: 2\nApprove/);
    expect(shown(stdout)).toMatch(/- false\n- not on Friday$/);
    expect(readEvents(runDir, { verify: true }).at(-1)?.type).toBe('RUN_COMPLETED');
  },
);
