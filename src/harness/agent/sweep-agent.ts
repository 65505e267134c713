/** Ends what an agent's attempt left when its host died: processes first, then its private files. */
import { sweep } from '../program/sweep.ts';
import { removePrivateFolders } from './private-folder.ts';

/** Rejects when something outlives SIGKILL: see `sweep`. */
export async function sweepAgent(key: string): Promise<void> {
  await sweep(key);
  await removePrivateFolders(key);
}
