/**
 * Which of these commands are flaky? Each is run five times and has to end alike each time; the first disagreement settles it,
 * and the runs that are left are cancelled. Two commands at a time. It needs no model and no key.
 *
 *     npx troupe run machines/examples/flaky.process.ts --input '{"commands":[["node","--version"],["npm","test"]]}'
 *
 * A task board of quorums: each task is a nested coordinator, so that its runs are members `command-1::run-1` and so on.
 */
import { defineProcess } from 'troupe';
import { quorum, taskBoard, withMachines } from 'troupe/machines';

const boardOfQuorums = withMachines(taskBoard, { quorum });
const runs = 5;
const anyExitCode = Array.from({ length: 256 }, (_, exitCode) => exitCode);

interface Input {
  /** Programs and their arguments. */
  readonly commands: readonly (readonly string[])[];
}

/** The process. */
export default defineProcess('flaky', async (ctx, { commands }: Input) => {
  const tasks = commands.map((command, index) => {
    const members = Array.from({ length: runs }, (_, run) => ({
      id: `run-${run + 1}`,
      command,
      success: { exitCodes: anyExitCode },
    }));
    return {
      id: `command-${index + 1}`,
      machine: 'quorum',
      input: { members, atLeast: runs, field: 'exitCode', concurrency: 2 },
    };
  });
  const board = ctx.group('commands', boardOfQuorums, { tasks, workers: 2, checkpointEvery: 1 });

  for await (const { settled, total } of board.checkpoints) ctx.log(`${settled} of ${total} commands judged`);

  const { tasks: judged } = await board.output;
  return judged.map(({ status, output, error }, index) => {
    const command = commands[index]?.join(' ') ?? '';
    if (status !== 'done') return { command, steady: false, why: error?.message ?? status };
    return { command, steady: true, exitCode: (output as { readonly value: number }).value };
  });
});
