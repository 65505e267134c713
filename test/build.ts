/** Builds dist once before the tests, as some start the program as users do, or look at the package; and the programs of the tests. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildPrograms } from './support/programs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

export default function build(): () => void {
  try {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    // Types that do not fit are emitted all the same; test/package.test.ts fails on them.
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    process.stderr.write(`build: ${stdout}${stderr}\n`);
  }
  return buildPrograms();
}
