/** Attempts that were lost with their host. */
import type { PlainError } from '../harness/port.ts';
import type { Address } from './effect.ts';

/** Error code of an attempt that ended because its host did. */
export const interruptedCode = 'INTERRUPTED';

/** What such an attempt ended with. */
export function interruption(member: Address, attempt: number): PlainError {
  return {
    name: 'InterruptedError',
    message: `attempt ${attempt} of member \`${member}\` was under way when its host ended`,
    code: interruptedCode,
  };
}
