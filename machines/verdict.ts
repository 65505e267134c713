/** How the library reads a judge's verdict. */
import type { JsonValue } from 'troupe';

/**
 * Did a judge say yes? Its output is `true`, or an object whose `accept` is true, or that of a command whose standard
 * output is one of these as JSON text. Everything else is a no.
 */
export function isAccepted(output: JsonValue): boolean {
  if (output === true) return true;
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return false;
  const { accept, stdout } = output as { readonly accept?: JsonValue; readonly stdout?: JsonValue };
  if (accept !== undefined) return accept === true;
  if (typeof stdout !== 'string') return false;
  try {
    const told = JSON.parse(stdout) as JsonValue;
    return (
      told === true ||
      (typeof told === 'object' && told !== null && (told as { readonly accept?: JsonValue }).accept === true)
    );
  } catch {
    return false;
  }
}
