/** A real agent that runs troupe: told of `troupe mcp` as its own command says, it starts a run and waits for its end. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { program } from '../cli/support.ts';
import { programOf } from './install/folders.ts';
import { pins, type AgentName } from './install/pins.ts';
import { scripted } from './model/script.ts';
import { describeEachWay, newStage } from './stage/agents.ts';
import { bareTurn } from './stage/bare.ts';

const greetingProcess = `
import { defineProcess } from 'troupe';
import { fanOut } from 'troupe/machines';
export default defineProcess('greeting', async (ctx, input: { names: string[] }) => {
  const members = input.names.map((id) => ({ id, command: ['echo', 'greetings to ' + id] }));
  const { results } = await ctx.group('all', fanOut, { members }).output;
  return results.map(({ output }) => (output as { stdout: string }).stdout.trim());
});
`;

/** How each agent is told of a server over standard input and output, for good. */
const addCommand: Partial<Record<AgentName, readonly string[]>> = {
  claude: ['mcp', 'add', '--scope', 'user', 'troupe', '--'],
  codex: ['mcp', 'add', 'troupe', '--'],
  gemini: ['mcp', 'add', '--scope', 'user', '--trust', 'troupe'],
};

/** Codex begins its turn without a server that is slow to start, unless it is told that it needs it. */
function needServer(config: string): void {
  const text = readFileSync(config, 'utf8');
  expect(text).toContain('[mcp_servers.troupe]\n');
  writeFileSync(config, text.replace('[mcp_servers.troupe]\n', '[mcp_servers.troupe]\nrequired = true\n'));
}

describeEachWay(['cli'], 'runs troupe', ({ agent: name }) => {
  const add = addCommand[name];
  test.skipIf(add === undefined)('starts a run by its tools, waits for its end, and sees what came of it', async () => {
    const stage = await newStage();
    const pin = pins.find(({ agent, speaks }) => agent === name && speaks.includes('cli'));
    if (pin === undefined || add === undefined) throw new Error(`${name} is no command line`);
    writeFileSync(join(stage.work, 'greeting.process.ts'), greetingProcess);
    const { env: toReach, model } = stage.reach(name);
    const env = { ...stage.env, ...toReach, ENABLE_TOOL_SEARCH: 'false' };
    const server = [process.execPath, program, 'mcp'];
    execFileSync(programOf(pin), [...add, ...server], { cwd: stage.work, env, stdio: 'pipe' });
    if (name === 'codex') needServer(join(stage.home, '.codex/config.toml'));

    const run = 'greet';
    const input = { names: ['ann', 'bob'] };
    const steps = [
      { tool: 'run_start', args: { file: 'greeting.process.ts', input, runId: run } },
      { tool: 'run_wait', args: { run } },
      { echo: true },
    ];
    const { text, exitCode, stderr } = await bareTurn(name, scripted(steps), {
      cwd: stage.work,
      env,
      reach: { env: toReach, model },
    });
    expect(exitCode, stderr).toBe(0);
    const seen = text.replaceAll('\\', '');
    expect(seen).toContain('"reached":"ended"');
    expect(seen).toContain('greetings to ann');
    // Neither the server nor the run's host is left.
    expect(await stage.settled()).toEqual([]);
    const shown = execFileSync(process.execPath, [program, 'show', run, '--json'], {
      cwd: stage.work,
      encoding: 'utf8',
    });
    expect(JSON.parse(shown)).toMatchObject({
      run: { status: 'completed', input, output: ['greetings to ann', 'greetings to bob'] },
    });
  });
});
