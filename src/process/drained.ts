/** Resolves when every promise callback that could run has run: the process has taken in what it was given. */
export function drained(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
