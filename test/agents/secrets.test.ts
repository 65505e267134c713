/** Secrets that an agent can see, and that its model says aloud, reach neither journal nor output, terminal, log or page. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scripted } from './model/script.ts';
import { describeEachWay, everyWay, newStage } from './stage/agents.ts';
import { dataOf, followRun } from './stage/follow-run.ts';
import { shellStep } from './stage/tools.ts';
import { startTroupe } from './stage/troupe.ts';

/** Two members: the agent, and one that says again what it was told. */
const process_ = `
import { defineProcess } from 'troupe';
import { acp, cli, fn } from 'troupe/harness';
import { fanOut } from 'troupe/machines';

const echo = fn(async (_task, { inbox }) => (await inbox({ waitMs: 30_000 })).map(({ body }) => body));
const { AGENT, SPEECH } = process.env;
const agent =
  SPEECH === 'acp'
    ? acp(AGENT, { permissions: 'allow', mailbox: 'required' })
    : cli(AGENT, { sandbox: 'full-access', mailbox: 'required' });
export const harnesses = { echo, agent };

export default defineProcess('leak', (ctx, input) =>
  ctx.group('leak', fanOut, {
    members: [{ id: 'echo', harness: 'echo' }, { id: 'agent', harness: 'agent', prompt: input.prompt }],
  }).output);
`;

/** Text of all files below. */
function textsIn(folder: string): readonly (readonly [string, string])[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap((file) =>
    file.isFile() ? [[file.name, readFileSync(join(file.parentPath, file.name), 'latin1')] as const] : [],
  );
}

describeEachWay(everyWay, 'is told secrets by its environment', ({ agent, speech }) => {
  test('they stay there', { timeout: 90_000 }, async () => {
    const stage = await newStage();
    const planted = (name: string) => `${name}-${randomBytes(12).toString('hex')}`;
    const secrets = {
      key: planted('key'),
      DEPLOY_TOKEN: planted('deploy'),
      DB_PASSWORD: planted('db.pass'),
      SESSION_SECRET: planted('session'),
    };
    const { key, ...variables } = secrets;
    // As it is in real projects: what the environment holds stands in a file as well.
    writeFileSync(
      join(stage.work, '.env'),
      Object.entries(variables)
        .map((pair) => pair.join('='))
        .join('\n'),
    );
    writeFileSync(join(stage.work, 'leak.process.ts'), process_);
    const steps = [
      shellStep(agent, 'cat .env'),
      { tool: 'group_progress', args: { line: 'I use {{DEPLOY_TOKEN}}' }, wait: 1_100 },
      {
        tool: 'group_checkpoint',
        args: { name: 'at {{DB_PASSWORD}}', data: { token: '{{DEPLOY_TOKEN}}' } },
        wait: 1_100,
      },
      {
        tool: 'group_send',
        args: { to: 'echo', type: 'leak', body: { '{{SESSION_SECRET}}': 'and {{DEPLOY_TOKEN}}' } },
      },
      { text: 'The token is {{DEPLOY_TOKEN}}, the password {{DB_PASSWORD}}.', pieces: 9 },
    ];
    const env = { ...stage.reach(agent, key).env, ...variables, AGENT: agent, SPEECH: speech };
    const troupe = (...args: readonly string[]) => startTroupe(stage, env, args).ended;
    const input = JSON.stringify({ prompt: scripted(steps) });
    const run = await troupe('run', 'leak.process.ts', '--run-id', 'leak', '--input', input);
    expect(run, run.stdout + run.stderr).toMatchObject({ code: 0 });

    // The secrets were really there: the model was shown the key, and has heard the others.
    expect(new Set(stage.model.requests.map((request) => request.key).filter((one) => one !== undefined))).toEqual(
      new Set([key]),
    );
    const asked = JSON.stringify(stage.model.requests.at(-1)?.body);
    for (const value of Object.values(variables)) expect(asked).toContain(value);
    const followed = followRun(stage, 'leak');
    const [settled] = (await followed.entries('member.settled')).filter(({ member }) => member === 'agent');
    expect(settled).toMatchObject({
      outcome: { output: 'The token is [redacted DEPLOY_TOKEN], the password [redacted DB_PASSWORD].' },
    });
    const [message] = await followed.entries('message');
    expect(message).toMatchObject({ body: { '[redacted SESSION_SECRET]': 'and [redacted DEPLOY_TOKEN]' } });
    const [mark] = await followed.entries('checkpoint');
    expect(mark).toMatchObject({ name: 'at [redacted DB_PASSWORD]', data: { token: '[redacted DEPLOY_TOKEN]' } });

    const page = join(stage.folder, 'page.html');
    const said = {
      run,
      log: await troupe('log', 'leak', '--json'),
      show: await troupe('show', 'leak'),
      json: await troupe('show', 'leak', '--json'),
      page: await troupe('inspect', 'leak', '--export', page),
    };
    const texts = [
      ...Object.entries(said).map(([name, { stdout, stderr }]) => [name, stdout + stderr] as const),
      ...textsIn(dataOf(stage)),
      ['page.html', readFileSync(page, 'utf8')] as const,
    ];
    expect(texts.map(([name]) => name).join(' ')).toMatch(/journal\.jsonl/);
    for (const [name, text] of texts)
      for (const [variable, value] of Object.entries(secrets))
        for (const form of [value, Buffer.from(value).toString('base64').slice(0, -4)])
          expect(text.includes(form), `${variable} stands in ${name}`).toBe(false);
    // The raw output of the agent is kept, without them.
    expect(texts.some(([, text]) => text.includes('[redacted DEPLOY_TOKEN]'))).toBe(true);
    expect(await stage.settled()).toEqual([]);
  });
});
