/** Says at the end of a run of tests that those with babysitter's SDK were left out, and how to run them. */
import type { TestProject } from 'vitest/node';
import { fileURLToPath } from 'node:url';
import { isSdkInstalled, sdkVersion } from './sdk/install.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));

export default function leftOut(project: TestProject): () => void {
  return () => {
    if (isSdkInstalled) return;
    let tests = 0;
    for (const { moduleId, children } of project.vitest.state.getTestModules())
      if (moduleId.startsWith(folder)) tests += [...children.allTests('skipped')].length;
    if (tests > 0)
      process.stderr.write(
        `\nLeft out: ${tests} tests with babysitter's SDK. \`npm run test:babysitter\` installs ${sdkVersion} (200 MB, half a minute) and runs them.\n`,
      );
  };
}
