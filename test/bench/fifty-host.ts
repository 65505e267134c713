/**
 * A host with members that wait, for its memory to be looked at: `fifty-host.js <agents|commands> <count> <folder>`. Says `up` when
 * all of them are at work, and its memory when it is told to; ends when its input does.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fanOut } from '../../machines/fan-out.ts';
import { cli } from '../../src/harness/agent/cli/cli.ts';
import { command } from '../../src/harness/command.ts';
import { fileStore } from '../../src/journal/index.ts';
import { defineProcess } from '../../src/process/define-process.ts';
import { openRun } from '../../src/process/run.ts';

const [kind = 'agents', count = '50', folder = '.'] = process.argv.slice(2);

/** Says that it is there, and waits: an agent in the middle of its turn. */
const work = `printf '{"type":"text","text":"at work","isDelta":false}\\n'; cp "$1" "$2/at-work-$$"; exec sleep 600`;
const program = ['sh', '-c', work, 'sh'];
const harnesses = {
  agents: cli({ name: 'fake', command: [...program, '{mcp}', folder] }, { stallMs: 3_600_000, joinMs: 3_600_000 }),
  commands: command(),
};
const memberOf = (id: string) =>
  kind === 'agents'
    ? { id, harness: 'agents', prompt: 'Wait.' }
    : { id, harness: 'commands', command: [...program, '/dev/null', folder] };
const members = Array.from({ length: Number(count) }, (_, index) => memberOf(`member-${index + 1}`));

const definition = defineProcess('fifty', (ctx) => ctx.group('fifty', fanOut, { members }).output);
const run = await openRun({
  store: fileStore({ dir: `${folder}/data` }),
  process: definition,
  run: 'fifty',
  harnesses,
});
const end = run.drive();
while (readdirSync(folder).filter((name) => name.startsWith('at-work-')).length < members.length) await delay(10);
process.stdout.write('up\n');

const tellMemory = async () => {
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc?.();
    await delay(50);
  }
  process.stdout.write(`${JSON.stringify({ rss: process.memoryUsage().rss })}\n`);
};
const goHome = async () => {
  await run.cancel('measured');
  await end;
  await run.close();
};
process.stdin.once('data', () => void tellMemory());
process.stdin.once('end', () => void goHome());
