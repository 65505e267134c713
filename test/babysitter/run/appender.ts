/** A program for tests: `appender <run dir> [batch]` appends events until it is killed; a line when it begins. */
import { openRunFolder } from '../../../src/babysitter/run/run-folder.ts';

const [runDir = '', batch = '1'] = process.argv.slice(2);
const folder = openRunFolder(runDir);
for (let turn = 0; ; turn += 1) {
  const events = Array.from({ length: Number(batch) }, (_, index) => ({
    type: 'GROUP_CHECKPOINT',
    data: { groupId: 'grp_test', eventId: `${process.pid}-${turn}-${index}`, filler: 'x'.repeat(500) },
  }));
  await folder.append(events);
  if (turn === 0) process.stdout.write('appending\n');
}
