/** The event loop's turns and a clock that never goes back, for the writer. */

/** Calls back when everything that is ready in the present turn of the event loop has been served. */
export function afterTurn(callback: () => void): void {
  setImmediate(callback);
}

/** Calls back when all promises that are resolved now, and those resolved in answer, have been served; other events wait. */
export function afterAnswers(callback: () => void): void {
  // A tick asked for by a microtask comes when no microtask is left.
  queueMicrotask(() => process.nextTick(callback));
}

/** Milliseconds from an arbitrary start. (`performance` would be loaded when it is first asked: 2 ms of the start of a process.) */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
