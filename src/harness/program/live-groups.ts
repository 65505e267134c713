/** When this process ends with programs still running (an uncaught error, `process.exit`), they end with it. */
const groups = new Set<number>();

/** Ends the group, at once, if this process exits before the returned function is called. Not on SIGKILL: see `sweep.ts`. */
export function endWithThisProcess(groupId: number): () => void {
  if (groups.size === 0) process.on('exit', endGroups);
  groups.add(groupId);
  return () => {
    groups.delete(groupId);
    if (groups.size === 0) process.off('exit', endGroups);
  };
}

function endGroups(): void {
  for (const groupId of groups) {
    try {
      process.kill(-groupId, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}
