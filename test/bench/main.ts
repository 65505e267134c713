/** Runs the benches one after the other, prints the table, writes the results. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchNames } from './benches.ts';
import { machineFacts } from './measure/machine-facts.ts';
import type { Row } from './measure/row.ts';
import { factsText, rowText } from './measure/table.ts';

const { values } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    json: { type: 'string', default: '.bench/results.json' },
  },
});

/** One bench in a process of its own; its rows come as lines of JSON. */
async function rowsOf(name: string): Promise<readonly Row[]> {
  const one = fileURLToPath(new URL('one.js', import.meta.url));
  const args = ['--expose-gc', '--max-old-space-size=8192', one, name, ...(values.smoke ? ['--smoke'] : [])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`bench ${name} ended with exit code ${String(code)}`);
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Row]));
}

const unknown = values.only?.filter((name) => !benchNames.includes(name)) ?? [];
if (unknown.length > 0) {
  console.error(`Unknown bench: ${unknown.join(', ')}. There are: ${benchNames.join(', ')}.`);
  process.exit(2);
}

const facts = await machineFacts(values.smoke);
console.log(factsText(facts));
const rows: Row[] = [];
const broken: string[] = [];
for (const name of values.only ?? benchNames) {
  process.stderr.write(`bench: ${name} …\n`);
  try {
    for (const row of await rowsOf(name)) {
      rows.push(row);
      console.log(rowText(row));
    }
  } catch (error) {
    broken.push(name);
    console.error(error);
  }
}
mkdirSync(dirname(values.json), { recursive: true });
writeFileSync(values.json, `${JSON.stringify({ smoke: values.smoke, machine: facts, rows }, undefined, 2)}\n`);
const judged = rows.filter(({ met }) => met !== undefined);
console.log(
  `${judged.filter(({ met }) => met).length} of ${judged.length} figures reached${values.smoke ? ' (smoke: too small to count)' : ''}; rows in ${values.json}`,
);
if (broken.length > 0) {
  console.error(`Broken: ${broken.join(', ')}`);
  process.exitCode = 1;
}
