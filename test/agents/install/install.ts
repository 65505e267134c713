/** Installs pinned CLIs with npm, one after the other; what is there already is used again. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clisFolder, folderOf, isInstalled } from './folders.ts';
import type { Pin } from './pins.ts';

/** Installs what is missing, telling each step; resolves to the pins that could not be installed, with npm's words. */
export async function install(
  pins: readonly Pin[],
  tell: (line: string) => void,
): Promise<readonly { readonly pin: Pin; readonly why: string }[]> {
  const missing = pins.filter((pin) => !isInstalled(pin));
  for (const { name, version } of pins.filter((pin) => !missing.includes(pin))) tell(`${name} ${version}: is here`);
  if (missing.length === 0) return [];
  mkdirSync(clisFolder, { recursive: true });
  const megabytes = missing.reduce((sum, pin) => sum + pin.megabytes, 0);
  const free = statfsSync(clisFolder);
  const freeMegabytes = Math.floor((free.bavail * free.bsize) / 1e6);
  tell(`to install: ${missing.length}, ${megabytes} MB (${freeMegabytes} MB free), about 10 s each`);
  if (freeMegabytes < megabytes * 2) {
    const why = `expected ${megabytes * 2} MB free in .agent-clis, got ${freeMegabytes} MB`;
    return missing.map((pin) => ({ pin, why }));
  }
  const failed: { pin: Pin; why: string }[] = [];
  for (const [index, pin] of missing.entries()) {
    const what = `${pin.name} ${pin.version} (${index + 1} of ${missing.length})`;
    tell(`${what}: installing ${pin.package}, ${pin.megabytes} MB …`);
    const startedMs = performance.now();
    const why = await installOne(pin);
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
    tell(why === undefined ? `${what}: installed in ${seconds} s` : `${what}: not installed (${seconds} s)`);
    if (why !== undefined) failed.push({ pin, why });
  }
  return failed;
}

const patienceMs = 300_000;

/** Installs into a folder of another name first: a half-done one is never taken for a whole one. */
async function installOne(pin: Pin): Promise<string | undefined> {
  for (const name of readdirSync(clisFolder)) {
    // What an installation that was killed has left.
    if (name.startsWith(`half-${pin.name}-`)) rmSync(join(clisFolder, name), { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(clisFolder, `half-${pin.name}-`));
  // npm takes this folder for the project's, and not the repository around it.
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const how = ['--no-audit', '--no-fund', '--no-package-lock', '--no-update-notifier', '--loglevel=error'];
  // The pins are exact: npm must neither choose an older version that names this node, nor refuse a newer one.
  const args = ['install', '--engine-strict=false', '--save-exact', ...how, `${pin.package}@${pin.version}`];
  const why = await npm(args, folder);
  if (why === undefined && !isInstalled(pin)) {
    rmSync(folderOf(pin), { recursive: true, force: true });
    renameSync(folder, folderOf(pin));
  }
  rmSync(folder, { recursive: true, force: true });
  return why ?? (isInstalled(pin) ? undefined : `${pin.package} has no program \`${pin.program}\``);
}

function npm(args: readonly string[], cwd: string): Promise<string | undefined> {
  const signal = AbortSignal.timeout(patienceMs);
  const child = spawn('npm', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
  let said = '';
  const hear = (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000));
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`${error.message}\n${said}`));
    child.once('close', (code) => resolve(code === 0 ? undefined : `npm ended with ${String(code)}\n${said}`));
  });
}
