/** The work that is disturbed: small real commands, each of which notes its start and its end in a side file. */
import { setup } from 'xstate';
import { fanOut, type FanOutMember } from '../../machines/index.ts';
import { defineProcess, isTroupeError, member, type Invocation } from '../../src/index.ts';

/** Input of {@link chaosProcess}. */
export interface ChaosInput {
  /** File that members append `<member> <attempt key> start|end` to. */
  readonly side: string;
  /** Each member's work is this shell line instead. */
  readonly work?: string;
}

/** A command that notes its start, works, and notes its end; `$0` is the side file. */
function noted(side: string, work: string, after = ''): Invocation {
  const note = (what: string) => `echo "$TROUPE_MEMBER $TROUPE_ATTEMPT ${what}" >> "$0"`;
  return { command: ['sh', '-c', `${note('start')}; ${work}; ${note('end')}; ${after || ':'}`, side] };
}

const works: readonly (readonly [id: string, work: string, after: string, more: Partial<Invocation>])[] = [
  ['instant', ':', '', {}],
  ['reader', 'cat', '', { stdin: 'from the journal\n' }],
  ['nap-20', 'sleep 0.02', '', {}],
  ['fails', 'sleep 0.01', 'echo no good >&2; exit 3', {}],
  [
    'retried',
    'sleep 0.01',
    '[ -e "$0.retried" ] || { : > "$0.retried"; exit 1; }',
    { retry: { attempts: 3, minMs: 10 } },
  ],
  ['fails-twice', ':', 'exit 4', { retry: { attempts: 2, minMs: 5 } }],
  ['grandchild', 'sleep 30 > /dev/null 2>&1 & sleep 0.05', '', {}],
  ['daemon', 'setsid sleep 30 > /dev/null 2>&1 & sleep 0.04', '', {}],
  ['nap-150', 'sleep 0.15', '', {}],
  ['talks', 'i=0; while [ $i -lt 200 ]; do echo "line $i"; i=$((i+1)); done; sleep 0.03', '', {}],
  ['stubborn', 'trap "" INT TERM; sleep 0.08', '', {}],
  ['nap-60', 'sleep 0.06', 'echo done', {}],
];

/** The twelve members of group `build`. */
export function twelve({ side, work }: ChaosInput): readonly FanOutMember[] {
  return works.map(([id, own, after, more]) => ({ id, ...noted(side, work ?? own, after), ...more }));
}

/** Waits for a signal and a durable timer, then asks for one member. */
export const watch = setup({
  types: {} as { input: ChaosInput; context: ChaosInput; events: { type: 'go' }; output: string },
  actors: { member },
}).createMachine({
  id: 'watch',
  context: ({ input }) => ({ ...input }),
  initial: 'waiting',
  states: {
    waiting: { on: { go: 'resting' } },
    resting: { after: { 60: 'looking' } },
    looking: {
      invoke: {
        src: 'member',
        id: 'look',
        input: ({ context }) => noted(context.side, 'sleep 0.02'),
        onDone: 'done',
      },
    },
    done: { type: 'final' },
  },
  output: () => 'looked',
});

/** Groups, one of which is cancelled; a task, a sleep, a log line, and all checkpoints. */
export const chaosProcess = defineProcess('chaos', async (ctx, input: ChaosInput) => {
  const build = ctx.group('build', fanOut, { members: twelve(input), concurrency: 4, checkpointEvery: 2 });
  const watching = ctx.group('watch', watch, input, { concurrency: 1 });
  const endless = ctx.group('endless', fanOut, { members: [{ id: 'forever', ...noted(input.side, 'sleep 60') }] });
  const prepared = await ctx.task('prepare', noted(input.side, 'echo ready'));
  await ctx.sleepUntil(ctx.now() + 40);
  ctx.log('rested');
  await watching.send({ type: 'go' });
  const marks: number[] = [];
  for await (const { settled } of build.checkpoints) marks.push(settled);
  const done = { prepared, marks, built: await build.output, watched: await watching.output };
  await endless.cancel('everything is done');
  return {
    ...done,
    endless: await endless.output.catch((error: unknown) => (isTroupeError(error) ? error.code : String(error))),
  };
});

/** Members of a run as `<group>/<address>`: each is settled once; `endless/forever` never is. */
export const settledOnce = [...works.map(([id]) => `build/${id}`), 'prepare/task', 'watch/look'].toSorted();
