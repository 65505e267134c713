import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectWith, twoGroups } from './project.ts';
import { isSdkInstalled } from './sdk/install.ts';

describe.skipIf(!isSdkInstalled)('a run directory of babysitter, looked at', { timeout: 60_000 }, () => {
  test('troupe log tells its effects and groups; troupe inspect shows them; the groups’ own journals are linked', async () => {
    const project = projectWith(twoGroups);
    const runDir = await project.create('run-1');
    await project.troupe(['babysit', runDir]);
    const { code, stdout } = await project.troupe(['log', runDir, '--json']);
    expect(code).toBe(0);
    const entries = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { stream: string; seq: number; type: string; data: Record<string, unknown> });
    const of = (stream: string) => entries.filter((entry) => entry.stream === stream).map(({ type }) => type);
    expect(of('run')).toEqual(['run.created', 'run.ended']);
    expect(of('group:effects').filter((type) => type === 'member.settled')).toHaveLength(4);
    const alpha = of('group:alpha');
    expect([alpha[0], alpha.at(-1)]).toEqual(['group.created', 'group.ended']);
    expect(alpha.filter((type) => type === 'member.settled')).toHaveLength(3);
    expect(alpha.filter((type) => type === 'checkpoint').length).toBeGreaterThan(0);
    const members = entries.flatMap(({ type, data }) => (type === 'attempt.started' ? [data['member']] : []));
    expect(new Set(members)).toHaveLength(members.length);
    expect(members).toContain('group.alpha');

    const page = join(project.folder, 'run.html');
    expect(await project.troupe(['inspect', runDir, '--export', page])).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(page, 'utf8')).toContain('group.beta');

    const effect = entries.find(({ type, data }) => type === 'member.settled' && data['member'] === 'group.alpha');
    const outcome = effect?.data['outcome'] as { output: { journal: string } } | undefined;
    const journal = outcome?.output.journal ?? '';
    const own = await project.troupe(['log', journal.split('/').at(-1) ?? '', '--data', join(runDir, 'troupe')]);
    expect(own.stdout).toMatch(/alpha-2/);
    // It is only looked at.
    expect((await project.troupe(['send', runDir, 'alpha', 'alpha-1', 'hi'])).code).not.toBe(0);
  });
});
