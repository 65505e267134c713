/** One bench in this process: `one.js <name> [--smoke]`; rows go to stdout as lines of JSON. */
import { benchOf } from './benches.ts';

const [name = '', flag] = process.argv.slice(2);
const bench = await benchOf(name);
await bench({
  smoke: flag === '--smoke',
  row: (row) => void process.stdout.write(`${JSON.stringify(row)}\n`),
});
