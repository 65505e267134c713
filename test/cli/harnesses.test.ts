/** `troupe harnesses` and `troupe doctor`, with programs of the test's own on the PATH. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { knownAgents } from '../../src/cli/known-agents.ts';
import { pins } from '../agents/install/pins.ts';
import { bareProject, program, type Ended, type Project } from './support.ts';

const git = dirname(execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim());

/** A project whose PATH holds these programs, scripts of a shell, besides the system's own. */
function withPrograms(programs: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}) {
  const it = bareProject(files);
  const bin = it.path('bin');
  mkdirSync(bin);
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const tools = it.path('tools');
  mkdirSync(tools);
  for (const name of ['sh', 'sleep', 'echo', 'cat']) {
    const found = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    if (found.startsWith('/')) symlinkSync(found, join(tools, name));
  }
  const troupe = (path: readonly string[], ...args: readonly string[]): Promise<Ended> =>
    it.spawn(process.execPath, [program, ...args], { env: { PATH: [bin, tools, ...path].join(delimiter) } }).ended;
  return { it, bin, troupe };
}

interface Listed {
  readonly config: string | null;
  readonly harnesses: readonly Readonly<Record<string, unknown>>[];
  readonly notInstalled: readonly string[];
}

const claude = "echo '2.1.330 (Claude Code)'";

describe('troupe harnesses', () => {
  test('finds what is installed, asks it for its version, and says what it can do', async () => {
    const { bin, troupe } = withPrograms({
      claude,
      codex: "echo 'codex-cli 0.170.0-alpha.2'",
      copilot: "echo 'GitHub Copilot CLI 1.0.102.'",
      gemini: 'echo no key >&2; exit 41',
      qwen: 'echo hello',
      pi: 'sleep 60',
    });
    const began = Date.now();
    const { code, stdout, stderr } = await troupe([], 'harnesses', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(Date.now() - began).toBeLessThan(25_000);
    const { config, harnesses, notInstalled } = JSON.parse(stdout) as Listed;
    expect(config).toBeNull();
    expect(notInstalled).toEqual(['opencode']);
    const byName = Object.fromEntries(harnesses.map((one) => [one['name'], one]));
    expect(byName['command']).toEqual({
      name: 'command',
      source: 'built-in',
      capabilities: [],
      offered: true,
      usable: true,
    });
    expect(byName['claude']).toEqual({
      name: 'claude',
      source: 'installed',
      capabilities: ['agent', 'claude'],
      offered: true,
      usable: true,
      version: '2.1.330',
      path: join(bin, 'claude'),
      abilities: expect.arrayContaining(['steer', 'resume', 'mcp']),
    });
    expect(byName['codex']).toMatchObject({ usable: true, version: '0.170.0-alpha.2' });
    expect(byName['copilot']).toMatchObject({ usable: true, version: '1.0.102' });
    expect(byName['gemini']).toMatchObject({ usable: false, problem: '`--version` ended with exit code 41: no key' });
    expect(byName['qwen']).toMatchObject({ usable: false, problem: '`--version` says no version: hello' });
    expect(byName['pi']).toMatchObject({ usable: false, problem: 'did not answer `--version` within 10 s' });
  });

  test('lists those of the configuration, and then installed ones are not offered', async () => {
    const { troupe } = withPrograms(
      { claude },
      {
        'troupe.config.ts': `
          import { defineConfig } from 'troupe';
          import { cli, fn } from 'troupe/harness';
          export default defineConfig({
            harnesses: { reviewer: cli('claude', { capabilities: ['review'], concurrency: 2 }), own: fn(() => 1) },
            capabilities: { own: ['sums'] },
          });`,
      },
    );
    const { stdout } = await troupe([], 'harnesses');
    expect(stdout).toMatch(/^✓ command +built-in/m);
    expect(stdout).toMatch(/^✓ reviewer +config +can review {2}at most 2 at once$/m);
    expect(stdout).toMatch(/^✓ own +config +can sums$/m);
    expect(stdout).toMatch(/^✓ claude +installed +2\.1\.330 .*not declared, so not offered/m);
    expect(stdout).toContain('configuration: troupe.config.ts\n');
    expect(stdout).toContain('not installed: codex, copilot, gemini, opencode, pi, qwen; how to: npx troupe doctor\n');
    const { harnesses } = JSON.parse((await troupe([], 'harnesses', '--json')).stdout) as Listed;
    expect(harnesses.find(({ name, source }) => name === 'claude' && source === 'installed')).toMatchObject({
      offered: false,
    });
  });

  test('a broken configuration is exit code 2', async () => {
    const { troupe } = withPrograms({}, { 'troupe.config.ts': 'export default 7;' });
    expect(await troupe([], 'harnesses')).toMatchObject({ code: 2, stderr: expect.stringContaining('CONFIG_INVALID') });
  });
});

test('the versions that doctor names are those that are tested with', () => {
  const tested = pins.filter(({ name }) => !name.endsWith('-acp'));
  expect(tested.length).toBeGreaterThan(4);
  for (const { name, package: npmName, version } of tested)
    expect(knownAgents.find((one) => one.name === name)).toMatchObject({ package: npmName, version });
});

test('with no configuration an installed agent is a harness by its name', async () => {
  const processFile = `
    import { defineProcess } from 'troupe';
    export default defineProcess('work', async (ctx) => {
      const failed = (error) => error.details.error.message;
      return [
        await ctx.task('one', { prompt: 'x', harness: 'claude' }).catch(failed),
        await ctx.task('two', { prompt: 'x', needs: ['gemini'] }).catch(failed),
      ];
    });`;
  const { troupe } = withPrograms({ claude: 'echo no model here >&2; exit 7' }, { 'work.process.mjs': processFile });
  const { code, stdout } = await troupe([], 'run', 'work.process.mjs', '--run-id', 'r1', '--json');
  expect(code).toBe(0);
  // It was started, and did not speak as Claude Code does; another one is not there.
  expect(stdout).toMatch(/claude/);
  const shown = await troupe([], 'log', 'r1', '--json');
  expect(shown.stdout).toMatch(/"attempt\.started".*"harness":"claude"/);
  expect(shown.stdout).toMatch(/needs \[gemini\]/);
});

describe('troupe doctor', () => {
  const checksOf = ({ stdout }: Ended) => {
    const { ok, checks } = JSON.parse(stdout) as {
      readonly ok: boolean;
      readonly checks: readonly {
        readonly name: string;
        readonly status: string;
        readonly says: string;
        readonly mend?: string;
      }[];
    };
    return { ok, of: Object.fromEntries(checks.map((check) => [check.name, check])) };
  };
  const leftIn = (it: Project) => readdirSync(it.folder).filter((name) => name !== 'bin' && name !== 'tools');

  test('says what is missing and how to install it; that nothing else is needed is exit code 0', async () => {
    const { it, bin, troupe } = withPrograms({ claude });
    const ended = await troupe([git], 'doctor', '--json');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const { ok, of } = checksOf(ended);
    expect(ok).toBe(true);
    expect(of['node']).toMatchObject({ status: 'ok', says: process.version });
    expect(of['git']).toMatchObject({ status: 'ok' });
    expect(of['data folder']).toMatchObject({ status: 'ok', says: expect.stringContaining('to be created in') });
    expect(of['loopback']).toMatchObject({ status: 'ok' });
    expect(of['processes']).toMatchObject({ status: 'ok' });
    expect(of['configuration']).toMatchObject({
      status: 'ok',
      says: expect.stringMatching(/^none: installed agents are harnesses/),
    });
    expect(of['claude']).toEqual({ name: 'claude', status: 'ok', says: `2.1.330 at ${join(bin, 'claude')}` });
    expect(of['codex']).toEqual({
      name: 'codex',
      status: 'missing',
      says: 'not installed',
      mend: 'npm install --global @openai/codex@0.169.0',
    });
    expect(of['qwen']?.mend).toMatch(
      /^npm install --global @qwen-code\/qwen-code@0\.24\.4 {2}\(install it with npm on Node >= 22/,
    );
    expect(leftIn(it)).toEqual([]);
    const { stdout } = await troupe([], 'doctor');
    expect(stdout).toMatch(/^– git +not on the PATH; members with `isolation: 'worktree'` need it\n +https:/m);
    expect(stdout).toMatch(/^✓ claude +2\.1\.330 at/m);
  });

  test('what is broken is exit code 1, each thing for itself', async () => {
    const { it, bin, troupe } = withPrograms(
      { claude: 'exit 3', codex: "echo 'codex-cli 0.1.0'" },
      { 'troupe.config.ts': 'export default { harneses: {} };', 'blocked': 'a file' },
    );
    // As a program of node is left behind whose node has been removed.
    writeFileSync(join(bin, 'gemini'), '#!/no/such/node\n', { mode: 0o755 });
    const ended = await troupe([], 'doctor', '--json', '--data', 'blocked/.troupe');
    expect(ended.code).toBe(1);
    const { ok, of } = checksOf(ended);
    expect(ok).toBe(false);
    expect(of['claude']).toMatchObject({ status: 'broken', says: expect.stringContaining('ended with exit code 3') });
    expect(of['codex']).toMatchObject({ status: 'ok', says: expect.stringMatching(/; tested with 0\.169\.0$/) });
    expect(of['gemini']).toMatchObject({
      status: 'broken',
      says: expect.stringMatching(/cannot be started: the interpreter that the first line of .*gemini. names was not/),
    });
    expect(of['configuration']).toMatchObject({
      status: 'broken',
      says: 'CONFIG_INVALID: troupe.config.ts: unknown field `harneses`; did you mean `harnesses`?',
    });
    expect(of['data folder']).toMatchObject({ status: 'broken', mend: expect.stringContaining('TROUPE_DATA') });
    expect(existsSync(it.path('.troupe'))).toBe(false);
  });
});
