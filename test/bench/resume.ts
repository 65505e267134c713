/** Resume: from the start of the process until a run with 10,000 entries is folded, beside the start of an empty node. */
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inTurns, rowOf, type Bench } from './measure/row.ts';
import { copyDurably, inFolder } from './measure/work-folder.ts';
import type * as WaitingRun from './work/waiting-run.ts';

/** Ms from spawning `node file` to the first byte that it prints. */
function timeToSpeak(file: string, args: readonly string[] = []): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let spokenMs: number | undefined;
    child.stdout.once('data', () => (spokenMs = performance.now() - startedMs));
    child.once('close', (code) => {
      if (code === 0 && spokenMs !== undefined) resolve(spokenMs);
      else reject(new Error(`${file} ended with exit code ${String(code)}`));
    });
  });
}

/** What stands in the bundle that `bench.ts` makes: the machine that wrote the run is then the one that resumes it. */
const bundled = (name: string) => new URL(`../../../bundled/${name}`, import.meta.url);

/** The bench. */
export const resume: Bench = ({ smoke, row }) =>
  inFolder(async (dir) => {
    const entries = smoke ? 500 : 10_000;
    process.stderr.write(`  writing ${entries} entries\n`);
    const { writeRun } = (await import(bundled('work/waiting-run.js').href)) as typeof WaitingRun;
    await writeRun(`${dir}/with`, entries);
    copyDurably(`${dir}/with`, `${dir}/without`);
    rmSync(`${dir}/without/runs/resume/snapshots`, { recursive: true, force: true });
    rmSync(`${dir}/without/runs/resume/lease/checked.json`);
    const empty = `${dir}/empty.mjs`;
    writeFileSync(empty, "import { writeSync } from 'node:fs';\nwriteSync(1, 'ready\\n');\n");
    // In the build's folder, where it finds the package.
    const xstate = fileURLToPath(bundled('xstate.mjs'));
    writeFileSync(xstate, "import 'xstate';\nimport { writeSync } from 'node:fs';\nwriteSync(1, 'ready\\n');\n");
    const child = fileURLToPath(bundled('resume-child.js'));
    let copies = 0;
    const resumed = (kind: string) => async () => {
      const copy = `${dir}/copy-${(copies += 1)}`;
      copyDurably(`${dir}/${kind}`, copy);
      const ms = await timeToSpeak(child, [copy]);
      rmSync(copy, { recursive: true });
      return ms;
    };
    const measured = await inTurns(smoke ? 1 : 15, {
      withSnapshot: resumed('with'),
      without: resumed('without'),
      empty: () => timeToSpeak(empty),
      xstate: () => timeToSpeak(xstate),
      modules: () => timeToSpeak(child),
    });
    const about = { unit: 'ms', level: 'D2', rivalName: 'start of an empty node', target: { atMost: 1.5 } } as const;
    const size = entries.toLocaleString('en');
    const note = 'from spawn until all members are taken up again and a signal is durable and folded';
    row(
      rowOf(
        { ...about, name: `resume after ${size} entries, with snapshot`, note },
        measured.withSnapshot,
        measured.empty,
      ),
    );
    row(
      rowOf(
        { ...about, name: `resume after ${size} entries, nothing but the journal`, note },
        measured.without,
        measured.empty,
      ),
    );
    const told = { unit: 'ms', level: 'D0', rivalName: 'start of an empty node' } as const;
    // What any process pays whose author's machines import it.
    row(rowOf({ ...told, name: "start of node with `import 'xstate'`" }, measured.xstate, measured.empty));
    row(rowOf({ ...told, name: 'start of node with the library loaded' }, measured.modules, measured.empty));
  });
