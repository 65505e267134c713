/** `troupe.config.ts`: found above the process file, checked in one sentence, and under what the process file says itself. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defineConfig, type Config } from 'troupe';
import { fn } from 'troupe/harness';
import { project, type Project } from './support.ts';

const processFile = (exports = '') => `
import { defineProcess } from 'troupe';
import { fn } from 'troupe/harness';
${exports}
export default defineProcess('work', async (ctx) => await ctx.task('one', { prompt: 'hello', needs: [] }));
`;
const config = (fields: string) => `
import { defineConfig } from 'troupe';
import { fn } from 'troupe/harness';
export default defineConfig({ ${fields} });
`;
const said = "said: fn(({ prompt }) => `config: ${prompt}`), other: fn(() => 'other')";

function written(files: Readonly<Record<string, string>>): Project {
  const it = project();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(it.path(name)), { recursive: true });
    writeFileSync(it.path(name), text);
  }
  return it;
}

const outputOf = async (it: Project, run: string) =>
  (JSON.parse((await it.troupe('show', run, '--json')).stdout) as { readonly run: { readonly output?: unknown } }).run
    .output;

describe('a configuration', () => {
  test('is found above the process file, and says who performs what', async () => {
    const it = written({
      'troupe.config.ts': config(`harnesses: { ${said} }, route: { default: 'said' }`),
      'deep/er/work.process.mjs': processFile(),
    });
    expect(await it.troupe('run', 'deep/er/work.process.mjs', '--run-id', 'r1')).toMatchObject({ code: 0, stderr: '' });
    expect(await outputOf(it, 'r1')).toBe('config: hello');
  });

  test('of a nearer folder wins, that of another repository above is none, and plain JavaScript does', async () => {
    const it = written({
      'troupe.config.ts': config(`harnesses: { far: fn(() => 'far') }, route: { default: 'far' }`),
      'near/troupe.config.mjs': config(`harnesses: { near: fn(() => 'near') }, route: { default: 'near' }`),
      'near/work.process.mjs': processFile(),
      'apart/.git/HEAD': 'ref: refs/heads/main',
      'apart/work.process.mjs': processFile(`export const harnesses = { own: fn(() => 'own') };
        export const rules = { defaultHarness: 'own' };`),
    });
    await it.troupe('run', 'near/work.process.mjs', '--run-id', 'r1');
    expect(await outputOf(it, 'r1')).toBe('near');
    await it.troupe('run', 'apart/work.process.mjs', '--run-id', 'r2');
    expect(await outputOf(it, 'r2')).toBe('own');
  });

  test('gives way to what the process file exports, name by name', async () => {
    const it = written({
      'troupe.config.ts': config(
        `harnesses: { ${said} }, route: { default: 'other', fallback: { failed: ['said'] } }, budget: { attempts: 5 }`,
      ),
      'work.process.mjs': processFile(`export const harnesses = { said: fn(() => 'process') };
        export const rules = { defaultHarness: 'said' };`),
    });
    await it.troupe('run', 'work.process.mjs', '--run-id', 'r1');
    expect(await outputOf(it, 'r1')).toBe('process');
  });

  test('sets budgets, limits, capabilities and chains', async () => {
    const it = written({
      'troupe.config.ts': config(`
        harnesses: {
          bad: fn(() => { throw Object.assign(new Error('busy'), { class: 'overloaded' }); }),
          good: fn(() => 'good'),
        },
        capabilities: { bad: ['judge'], good: ['judge'] },
        route: { fallback: { overloaded: ['good'] } },
        budget: { attempts: 2 },
        limits: { payloadBytesMax: 5_000 },
      `),
      'work.process.mjs': `
        import { defineProcess } from 'troupe';
        export default defineProcess('work', async (ctx) => {
          const first = await ctx.task('one', { needs: ['judge'], prefer: ['bad'] });
          const second = await ctx.task('two', { needs: ['judge'] }).catch((error) => error.details.error.code);
          return [first, second, 'x'.repeat(10)];
        });`,
    });
    await it.troupe('run', 'work.process.mjs', '--run-id', 'r1');
    expect(await outputOf(it, 'r1')).toEqual(['good', 'BUDGET', 'xxxxxxxxxx']);
    const large = await it.troupe('run', 'work.process.mjs', '--input', JSON.stringify('y'.repeat(6_000)));
    expect(large.code).toBe(2);
    expect(large.stderr).toContain('ENTRY_TOO_LARGE: input of run');
  });

  test('is used by resume and retry too, and a broken one does not keep a run from being cancelled', async () => {
    const it = written({
      'troupe.config.ts': config(
        `harnesses: { said: fn(() => { throw new Error('not yet'); }) }, route: { default: 'said' }`,
      ),
      'work.process.mjs': processFile(),
    });
    expect(await it.troupe('run', 'work.process.mjs', '--run-id', 'r1')).toMatchObject({ code: 1 });
    writeFileSync(it.path('troupe.config.ts'), config(`harnesses: { ${said} }, route: { default: 'said' }`));
    expect(await it.troupe('retry', 'r1', 'task', '--as', 'r2', '--go')).toMatchObject({ code: 0 });
    expect(await outputOf(it, 'r2')).toBe('config: hello');
    await it.troupe('retry', 'r1', 'task', '--as', 'r3');
    writeFileSync(it.path('troupe.config.ts'), 'export default 7;');
    expect(await it.troupe('resume', 'r3')).toMatchObject({ code: 2 });
    expect(await it.troupe('cancel', 'r3')).toMatchObject({ code: 0 });
  });
});

describe('what is wrong with it is one sentence, and nothing is run', () => {
  test.each<[string, string, RegExp]>([
    [
      'no default export',
      'export const harnesses = {};',
      /^CONFIG_INVALID: troupe\.config\.mjs has no default export\. Expected: export default defineConfig\(\{ … \}\)\.$/m,
    ],
    [
      'another default',
      'export default 7;',
      /CONFIG_INVALID: troupe\.config\.mjs: expected a configuration, .*, got `7`\.$/m,
    ],
    [
      'a misspelt field',
      config('harneses: {}'),
      /CONFIG_INVALID: defineConfig: unknown field `harneses`; did you mean `harnesses`\?$/m,
    ],
    [
      'a bigint',
      config('limits: { concurrency: 8n }'),
      /CONFIG_INVALID: defineConfig: expected `limits\.concurrency` to be a whole number >= 1, got a bigint\.$/m,
    ],
    [
      'what contains itself',
      config('schemas: { a: globalThis }'),
      /CONFIG_INVALID: defineConfig: expected `schemas\.a` to be a Standard Schema .*, got an object that is no JSON\.$/m,
    ],
    [
      'a plain object',
      "export default { route: { defualt: 'x' } };",
      /CONFIG_INVALID: troupe\.config\.mjs: unknown field `defualt` in `route`; did you mean `default`\?/,
    ],
    [
      'a default that nobody is called',
      config("harnesses: { claude: fn(() => 1) }, route: { default: 'cluade' }"),
      /CONFIG_INVALID: troupe\.config\.mjs: `route\.default` names the harness `cluade`, which there is not; did you mean `claude`\?$/m,
    ],
    [
      'a chain with a name that nobody has',
      config("harnesses: { a: fn(() => 1) }, route: { fallback: { timeout: ['zzzzzz'] } }"),
      /`route\.fallback\.timeout` names the harness `zzzzzz`, which there is not; harnesses: a, command\./,
    ],
    ['a syntax error', 'export default {', /CONFIG_INVALID: troupe\.config\.mjs/],
  ])('%s', async (_what, text, message) => {
    const it = written({ 'troupe.config.mjs': text, 'work.process.mjs': processFile() });
    const { code, stderr } = await it.troupe('run', 'work.process.mjs', '--run-id', 'r1');
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(await it.troupe('show', 'r1')).toMatchObject({ code: 7 });
  });
});

describe('defineConfig', () => {
  test('returns what it was given', () => {
    const given: Config = {
      harnesses: { a: fn(() => 1) },
      route: { default: 'a', fallback: { 'rate-limited': ['a'] } },
      budget: { costUsd: 5, warnAt: 0.8, over: 'ask', members: 3, depth: 2, expects: { costUsd: 0.5, tokens: 9 } },
      breaker: { trips: 3 },
      limits: { concurrency: 4, progressEveryMs: 0 },
      capabilities: { a: ['code'] },
    };
    expect(defineConfig(given)).toBe(given);
  });

  test.each<[unknown, RegExp]>([
    [null, /expected a configuration/],
    [{ harnesses: [] }, /expected `harnesses` to be an object of harnesses by name, got `\[\]`/],
    [
      { harnesses: { a: {} } },
      /expected `harnesses.a` to be a harness \(cli\(…\), acp\(…\), command\(…\), fn\(…\)\), got `\{\}`/,
    ],
    [{ harnesses: { a: () => 1 } }, /expected `harnesses.a` to be a harness .*, got a function/],
    [{ route: { default: '' } }, /expected `route.default` to be a text that is not empty, got ``?""/],
    [{ route: { fallback: { busy: [] } } }, /unknown field `busy` in `route.fallback`; known: auth, crashed/],
    [{ route: { fallback: { failed: 'a' } } }, /expected `route.fallback.failed` to be a list of texts, got `"a"`/],
    [{ budget: { costUsd: -1 } }, /expected `budget.costUsd` to be a number >= 0, got `-1`/],
    [{ budget: { warnAt: 80 } }, /expected `budget.warnAt` to be a number from 0 to 1, got `80`/],
    [{ budget: { over: 'explode' } }, /expected `budget.over` to be ask, fail or stop, got `"explode"`/],
    [{ budget: { cost: 1 } }, /unknown field `cost` in `budget`/],
    [{ budget: { expects: { costUsd: '1' } } }, /expected `budget.expects.costUsd` to be a number >= 0, got `"1"`/],
    [{ breaker: { trips: 0.5 } }, /expected `breaker.trips` to be a whole number >= 1, got `0.5`/],
    [{ limits: { concurrency: 0 } }, /expected `limits.concurrency` to be a whole number >= 1, got `0`/],
    [{ limits: { worktrees: {} } }, /unknown field `worktrees` in `limits`/],
    [{ schemas: { a: {} } }, /expected `schemas.a` to be a Standard Schema/],
    [{ capabilities: { a: 'code' } }, /expected `capabilities.a` to be a list of texts, got `"code"`/],
  ])('%j is refused', (given, message) => {
    expect(() => defineConfig(given as Config)).toThrow(message);
    expect(() => defineConfig(given as Config)).toThrow(/^CONFIG_INVALID: defineConfig: [^\n]+[.?]$/);
  });
});
