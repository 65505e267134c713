/** All benches by name; each is a module of its own that is loaded when it runs. */
import type { Bench } from './measure/row.ts';

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  'replay': async () => (await import('./replay.ts')).replay,
  'replay-file': async () => (await import('./replay-file.ts')).replayFile,
  'signals': async () => (await import('./signals.ts')).signals,
  'fan-out': async () => (await import('./fan-out.ts')).fanOutBench,
  'resume': async () => (await import('./resume.ts')).resume,
  'members': async () => (await import('./members.ts')).members,
  'messages': async () => (await import('./messages.ts')).messages,
  'fork': async () => (await import('./fork.ts')).fork,
  'check': async () => (await import('./check.ts')).checkBench,
  'inspect': async () => (await import('./inspect.ts')).inspect,
  'memory': async () => (await import('./memory.ts')).memory,
  'babysitter': async () => (await import('./babysitter.ts')).babysitterBench,
  'agents': async () => (await import('./agents.ts')).agents,
};

/** Names, in the order of the table. */
export const benchNames: readonly string[] = Object.keys(benches);

/** The bench of this name. */
export async function benchOf(name: string): Promise<Bench> {
  const load = benches[name];
  if (load === undefined) throw new Error(`no bench is called ${name}`);
  return await load();
}
