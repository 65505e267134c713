/** A host with one member that the playing program performs; prints the run's result. `<folder> <run> <steps>` */
import { openRun } from '../../../../src/index.ts';
import { fileStore } from '../../../../src/journal/index.ts';
import { hosted } from './hosted.ts';
import { played } from './played.ts';

const [dir = '', runId = '', prompt = ''] = process.argv.slice(2);
const harnesses = { play: played() };
const run = await openRun({ store: fileStore({ dir }), process: hosted, run: runId, input: { prompt }, harnesses });
const result = await run.drive();
await run.close();
process.stdout.write(`${JSON.stringify(result)}\n`);
