/** A fake agent as a program: ACP on its standard streams, `FAKE_QUIRKS` (JSON) for its quirks, `.fake` of its folder for sessions. */
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { ndJsonStream } from '@agentclientprotocol/sdk';
import { fakeAgent } from './app.ts';
import type { Quirks } from './quirks.ts';
import { transcriptsIn } from './session.ts';
import { shellIn } from './shell.ts';

const quirks = JSON.parse(process.env['FAKE_QUIRKS'] ?? '{}') as Quirks;

const app = fakeAgent({
  quirks,
  transcripts: transcriptsIn(join(process.cwd(), '.fake')),
  ownTools: { shell: shellIn(process.cwd()) },
  babble: (line) => process.stdout.write(`${line}\n`),
  die: () => {
    process.stderr.write('fake: out of luck\n');
    return process.exit(3);
  },
});
const connection = app.connect(
  ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>),
);
if (quirks.ignoresEof === true) setInterval(() => {}, 1_000_000);
else void connection.closed.then(() => process.exit(0));
