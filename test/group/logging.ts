/** Machines that log what happens to them. */
import { assign } from 'xstate';
import { machine, type Loose } from './group-under-test.ts';

/** Writes what it hears, and where, into the log of its machine. */
export const tr = (name: string) =>
  assign({ log: ({ context, event }: Loose) => [...context.log, `${name}:${event.type}`] }) as Loose;

/** A state that logs when it is entered and left. */
export const e = (name: string, more: Loose = {}) => ({ entry: tr(`>${name}`), exit: tr(`<${name}`), ...more });

/** Makes a machine with a log, anew each time. */
export const m =
  (config: Loose, parts: Loose = {}) =>
  () =>
    machine({ context: { log: [] }, options: { maxIterations: 30 }, ...config }, parts);
