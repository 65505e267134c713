/** Asking a program for its version. */
import { spawn } from 'node:child_process';
import { refusal } from '../harness/program/refusal.ts';

/** What came of it. */
export type Probe =
  | { readonly usable: true; readonly version: string }
  | { readonly usable: false; readonly problem: string };

/** Agents that would update themselves, or start a second process, are told not to. */
const quietly = {
  DISABLE_AUTOUPDATER: '1',
  OPENCODE_DISABLE_AUTOUPDATE: '1',
  GEMINI_CLI_NO_RELAUNCH: 'true',
  COPILOT_OFFLINE: 'true',
  PI_OFFLINE: '1',
  NO_COLOR: '1',
  CI: '1',
};

const outputMax = 64 * 1024;

/** Runs `<path> --version` in a process group of its own, which is ended after `timeoutMs`. Never rejects. */
export function versionOf(path: string, timeoutMs = 10_000): Promise<Probe> {
  return new Promise((resolve) => {
    const child = spawn(path, ['--version'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...quietly },
    });
    let said = '';
    const hear = (text: string) => {
      if (said.length < outputMax) said += text;
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    const end = (probe: Probe) => {
      clearTimeout(timer);
      // Whatever it has started as well.
      if (child.pid !== undefined)
        try {
          process.kill(-child.pid, 'SIGKILL');
        } catch {}
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(probe);
    };
    const timer = setTimeout(
      () => end({ usable: false, problem: `did not answer \`--version\` within ${timeoutMs / 1_000} s` }),
      timeoutMs,
    );
    let couldStart = true;
    child.on('error', (error) => {
      // Its output is closed then as well, which can be told before the reason has been found.
      couldStart = false;
      void refusal({ file: path, cwd: undefined, path: undefined, error }).then((refused) => {
        const why = refused.status === 'error' ? refused.error.message : error.message;
        end({ usable: false, problem: `cannot be started: ${why}` });
      });
    });
    child.on('close', (code, signal) => {
      if (!couldStart) return;
      const version = /\d+\.\d+\.\d+(?:[-+][\w.+-]*\w)?/.exec(said)?.[0];
      const first = said.trim().split('\n')[0]?.slice(0, 200) ?? '';
      if (code !== 0) {
        const how = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`;
        end({ usable: false, problem: `\`--version\` ${how}${first === '' ? '' : `: ${first}`}` });
      } else if (version === undefined) {
        end({ usable: false, problem: `\`--version\` says no version${first === '' ? '' : `: ${first}`}` });
      } else end({ usable: true, version });
    });
  });
}
