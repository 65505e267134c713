import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The package's own doors, read from source instead of from dist. */
const alias = [
  { find: /^troupe$/, replacement: at('src/index.ts') },
  { find: /^troupe\/(journal|harness|check|babysitter)$/, replacement: at('src/$1/index.ts') },
  { find: /^troupe\/machines$/, replacement: at('machines/index.ts') },
];

/**
 * vitest starts its workers with `--conditions development`, from this list; without it they load what plain node
 * loads. An option cannot take a condition away (lists are concatenated), so it is done when the config is resolved.
 */
const plainNodeConditions: Plugin = {
  name: 'plain-node-conditions',
  configResolved(config) {
    for (const resolve of [config.ssr.resolve, config.environments['ssr']?.resolve]) {
      if (resolve?.conditions === undefined) continue;
      resolve.conditions = resolve.conditions.filter((condition) => condition !== 'development|production');
    }
  },
};

/** Small files that take long. Of those that vitest has not timed yet it takes the largest first, and would wait for these at the end. */
const slow =
  /test\/(chaos\/kill|group\/(differential|mutants)|readme|babysitter\/(crash|stock|together)|cli\/(fork|out-file)|process\/random-groups|harness\/(worktree\/half-made|agent\/acp\/(conformance|lives)|command-sweep))\.test\.ts$/;

/** What is slow first. Project by project: a worker ends where it would have to change between them. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ project, moduleId }: TestSpecification) =>
      (project.name === 'production' ? 0 : 2) + (slow.test(moduleId) ? 0 : 1);
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

/**
 * Two projects, because XState ships two builds that differ where it matters here: `development` throws and warns,
 * `production` is what plain node loads. Everything runs on development; what stands on XState's semantics runs on
 * production too. `test/xstate-build.test.ts` proves that the switch works.
 */
export default defineConfig({
  resolve: { alias },
  test: {
    // Tests start real processes; a busy machine with two cores must still pass.
    testTimeout: 60_000,
    // One more than vitest's own measure: many tests wait for processes, and of two cores one alone would work.
    maxWorkers: availableParallelism(),
    // A process per worker, not per file: a third less to compute. A test puts back what it changes in its process.
    isolate: false,
    sequence: { sequencer: SlowFirst },
    setupFiles: [at('test/support/seed.ts')],
    hookTimeout: 60_000,
    coverage: { provider: 'v8', include: ['src/**', 'machines/**'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'development',
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/build.ts', 'test/agents/left-out.ts', 'test/babysitter/left-out.ts'],
          env: { TROUPE_XSTATE: 'development' },
        },
      },
      {
        extends: true,
        plugins: [plainNodeConditions],
        test: {
          name: 'production',
          include: [
            'test/group/**/*.test.ts',
            'test/machines/**/*.test.ts',
            'test/check/{counts,machines}.test.ts',
            'test/xstate-build.test.ts',
          ],
          // The same under both: types and pictures of examples, and the power of the differential test.
          exclude: ['test/machines/{example,picture}.test.ts', 'test/group/mutants.test.ts'],
          env: { TROUPE_XSTATE: 'production' },
        },
      },
    ],
  },
});
