import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openRunFolder, readEvents } from 'troupe/babysitter';
import { loadSdk, newRunDir, temporary } from './place.ts';
import { projectWith } from './project.ts';
import { isSdkInstalled } from './sdk/install.ts';

const program = fileURLToPath(new URL('../../dist/bundle/main.js', import.meta.url));

describe.skipIf(!isSdkInstalled)('beside the stock SDK from npm', { timeout: 60_000 }, () => {
  test('its commits and our appends and commits, all at once, make one journal that both read', async () => {
    const sdk = loadSdk();
    const runDir = await newRunDir(temporary());
    const folder = openRunFolder(runDir);
    const ids = Array.from({ length: 24 }, (_, index) => `effect-${index}`);
    for (const effectId of ids) {
      mkdirSync(join(runDir, 'tasks', effectId), { recursive: true });
      writeFileSync(join(runDir, 'tasks', effectId, 'task.json'), '{}');
    }
    const keyOf = (effectId: string) => `demo:S1:${effectId}`;
    await folder.append(
      ids.map((effectId) => ({
        type: 'EFFECT_REQUESTED',
        data: { effectId, invocationKey: keyOf(effectId), stepId: 'S1', taskId: effectId, kind: 'x', taskDefRef: 'x' },
      })),
    );
    const result = { status: 'ok', value: 1 } as const;
    const theirs = async (effectId: string): Promise<void> => {
      for (;;) {
        try {
          await sdk.commitEffectResult({ runDir, effectId, invocationKey: keyOf(effectId), result });
          return;
        } catch (error) {
          // Its own trouble with a lock that comes and goes; nothing has been done then.
          if (!/run\.lock|JSON/.test(String(error))) throw error;
        }
      }
    };
    await Promise.all([
      ...ids.slice(0, 8).map(theirs),
      ...ids.slice(8).map((effectId) => openRunFolder(runDir).commit(effectId, result)),
      ...ids.map((eventId) => openRunFolder(runDir).append([{ type: 'GROUP_CHECKPOINT', data: { eventId } }])),
    ]);
    const events = readEvents(runDir, { verify: true });
    expect(events).toHaveLength(1 + 3 * ids.length);
    expect([...folder.index().effects.values()].filter(({ status }) => status === 'ok')).toHaveLength(ids.length);
    expect((await sdk.loadJournal(runDir)).map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq));
    // An effect that somebody else has resolved is left as it is, by either.
    expect(await folder.commit('effect-0', result)).toBe(false);
    const again = sdk.commitEffectResult({ runDir, effectId: 'effect-9', invocationKey: keyOf('effect-9'), result });
    await expect(again).rejects.toThrow('already resolved');
  });

  test('a group as a shell task: whoever drives the run runs its command, and posts what it prints', async () => {
    const project = projectWith(`
      import { group } from 'troupe/babysitter';
      import { fanOut } from 'troupe/machines';
      export async function process(inputs, ctx) {
        const members = [{ id: 'one', command: ['sh', '-c', 'echo one >> ran.log'] }];
        return (await group(ctx, 'of shell', fanOut, { members }, { as: 'shell' })).results.map(({ id }) => id);
      }`);
    const runDir = await project.create('run-1');
    const iterated = await project.stock('run:iterate', runDir, '--json');
    const { nextActions } = JSON.parse(iterated.stdout) as {
      nextActions: readonly { effectId: string; kind: string; taskDef: { shell: { command: string } } }[];
    };
    const [action] = nextActions;
    expect(nextActions.map(({ kind }) => kind)).toEqual(['shell']);
    const command = action?.taskDef.shell.command ?? '';
    expect(command).toBe(`npx troupe run-effect --run-dir '${runDir}' --effect ${action?.effectId} --print`);
    const { VITEST: _, ...env } = process.env;
    const started = command.replace('npx troupe', `'${process.execPath}' '${program}'`);
    const ran = spawnSync('sh', ['-c', started], { cwd: project.folder, encoding: 'utf8', env });
    expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: '' });
    // It leaves the result to the caller, and is not done again for who asks twice.
    expect(readEvents(runDir).map(({ type }) => type)).not.toContain('EFFECT_RESOLVED');
    expect(spawnSync('sh', ['-c', started], { cwd: project.folder, encoding: 'utf8', env }).stdout).toBe(ran.stdout);
    expect(project.ran()).toEqual(['one']);
    const value = JSON.stringify({ exitCode: 0, stdout: ran.stdout });
    await project.stock('task:post', runDir, action?.effectId ?? '', '--status', 'ok', '--value-inline', value);
    expect((await project.stock('run:iterate', runDir, '--json')).stdout).toContain('completed');
    expect(JSON.parse(readFileSync(join(runDir, 'state/output.json'), 'utf8'))).toEqual(['one']);
  });
});
