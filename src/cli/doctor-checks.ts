/** What `troupe doctor` looks at: what is there, what is missing, and what to do about it. */
import { access, constants, link, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { listProcesses } from '../harness/program/list-processes.ts';
import { isWithoutLinks } from '../journal/fs.ts';
import type { DataFolder } from './data-folder.ts';
import { findProgram, installedAgents } from './installed-agents.ts';
import { installCommand, knownAgents } from './known-agents.ts';
import { loadConfig } from './load-config.ts';
import { versionOf } from './probe.ts';

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** `missing`: something that not everybody needs. `broken`: troupe does not work, or not as it is configured. */
  readonly status: 'broken' | 'missing' | 'ok';
  /** What was found, or what is wrong. */
  readonly says: string;
  /** What to do about it. */
  readonly mend?: string;
}

const nodeMin = [20, 19, 0] as const;

/** All checks, in the order in which they are told. Never rejects. */
export async function doctorChecks(data: DataFolder): Promise<readonly Check[]> {
  const agents = installedAgents();
  return await Promise.all([
    node(),
    program('npm', 'npx troupe and the installation of agents', 'it comes with Node.js: https://nodejs.org'),
    program('git', "members with `isolation: 'worktree'`", 'https://git-scm.com, or the package `git` of your system'),
    guarded('data folder', () => dataFolderCheck(data)),
    guarded('loopback', loopback),
    guarded('processes', processes),
    guarded('configuration', configuration),
    ...knownAgents.map(async (agent): Promise<Check> => {
      const found = agents.find(({ name }) => name === agent.name);
      const mend = `${installCommand(agent)}${agent.note === undefined ? '' : `  (${agent.note})`}`;
      if (found === undefined) return { name: agent.name, status: 'missing', says: 'not installed', mend };
      const probe = await versionOf(found.path);
      if (!probe.usable) return { name: agent.name, status: 'broken', says: `${found.path}: ${probe.problem}`, mend };
      const other = probe.version === agent.version ? '' : `; tested with ${agent.version}`;
      return { name: agent.name, status: 'ok', says: `${probe.version} at ${found.path}${other}` };
    }),
  ]);
}

async function guarded(name: string, check: () => Promise<Omit<Check, 'name'>>): Promise<Check> {
  try {
    return { name, ...(await check()) };
  } catch (error) {
    return { name, status: 'broken', says: error instanceof Error ? error.message : String(error) };
  }
}

async function node(): Promise<Check> {
  const { version } = process;
  const numbers = version.slice(1).split('.').map(Number);
  const [major = 0, minor = 0] = numbers;
  const isEnough = major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1]);
  const wanted = `Node.js >= ${nodeMin.join('.')}`;
  return isEnough
    ? { name: 'node', status: 'ok', says: version }
    : {
        name: 'node',
        status: 'broken',
        says: `${version}, and troupe needs ${wanted}`,
        mend: `install ${wanted}: https://nodejs.org`,
      };
}

async function program(name: string, needed: string, mend: string): Promise<Check> {
  const path = findProgram(name);
  if (path === undefined) return { name, status: 'missing', says: `not on the PATH; ${needed} need it`, mend };
  const probe = await versionOf(path);
  return probe.usable
    ? { name, status: 'ok', says: `${probe.version} at ${path}` }
    : { name, status: 'broken', says: `${path}: ${probe.problem}`, mend };
}

/** Writes where runs will be written, and leaves nothing there. */
async function dataFolderCheck({ path }: DataFolder): Promise<Omit<Check, 'name'>> {
  let folder = path;
  while ((await stat(folder).catch(() => undefined)) === undefined) folder = dirname(folder);
  const will = folder === path ? path : `${path} (to be created in ${folder})`;
  try {
    await access(folder, constants.W_OK);
    const probe = await mkdtemp(join(folder, '.troupe-doctor-'));
    try {
      await writeFile(join(probe, 'probe'), 'probe', { flush: true });
      await link(join(probe, 'probe'), join(probe, 'second name'));
    } finally {
      await rm(probe, { recursive: true });
    }
  } catch (error) {
    const what = isWithoutLinks(error)
      ? 'has no second names for files (hard links), which a run needs'
      : 'cannot be written';
    return {
      status: 'broken',
      says: `${will} ${what}: ${(error as Error).message}`,
      mend: 'name another with --data or TROUPE_DATA, or mend its rights',
    };
  }
  return { status: 'ok', says: `${will} can be written` };
}

/** The mailbox of agents and the inspector listen on loopback. */
function loopback(): Promise<Omit<Check, 'name'>> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end());
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      const client = createConnection({ port, host: '127.0.0.1' });
      const over = (error?: Error) => {
        client.destroy();
        server.close();
        if (error === undefined) resolve({ status: 'ok', says: '127.0.0.1 can be listened on and reached' });
        else reject(error);
      };
      client.on('connect', () => over());
      client.on('error', over);
      client.setTimeout(2_000, () => over(new Error('127.0.0.1 does not answer within 2 s')));
    });
  });
}

/** What members leave running is found by looking at all processes. */
async function processes(): Promise<Omit<Check, 'name'>> {
  const seen = (await listProcesses()).some(({ pid }) => pid === process.pid);
  return seen
    ? { status: 'ok', says: 'can be listed: what members leave running is found and ended' }
    : { status: 'broken', says: 'this process is not in the list of processes', mend: 'mount /proc, or install ps' };
}

async function configuration(): Promise<Omit<Check, 'name'>> {
  const found = await loadConfig();
  if (found === undefined)
    return {
      status: 'ok',
      says: 'none: installed agents are harnesses by their names (troupe.config.ts declares others)',
    };
  const names = Object.keys(found.config.harnesses ?? {});
  const what = names.length === 0 ? 'no harnesses declared' : `harnesses ${names.join(', ')}`;
  return { status: 'ok', says: `${relative(process.cwd(), found.file)}: ${what}` };
}
