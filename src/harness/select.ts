/** Choosing who performs an invocation. Pure: the same question has the same answer on every machine. */
import { TroupeError } from '../error.ts';
import type { Harness, Harnesses, Invocation } from './port.ts';

/** A harness and its name. */
export interface Choice {
  readonly name: string;
  readonly harness: Harness;
}

/**
 * Who performs an invocation: the harness it names; else the first declared that has all it needs; else `command` when
 * it has a command; else the default. Code: NO_HARNESS, saying what is missing where.
 */
export function chooseHarness(invocation: Invocation, harnesses: Harnesses, defaultName?: string): Choice {
  const { harness: pinned, needs = [], command } = invocation;
  const names = Object.keys(harnesses);
  const declared = names.length === 0 ? 'none is declared' : `declared: ${names.join(', ')}`;

  const refuse = (sentence: string): never => {
    throw new TroupeError('NO_HARNESS', `${sentence}.`, { needs, harness: pinned ?? null, harnesses: names });
  };
  const lacking = (name: string) => needs.filter((need) => !harnesses[name]?.capabilities?.includes(need));
  const lacks = (name: string) => `${name} lacks [${lacking(name).join(', ')}]`;
  const choose = (name: string, why: string): Choice => {
    const harness = Object.hasOwn(harnesses, name) ? harnesses[name] : undefined;
    return harness === undefined ? refuse(`${why}; ${declared}`) : { name, harness };
  };

  if (pinned !== undefined) {
    const choice = choose(pinned, `the invocation asks for harness \`${pinned}\``);
    if (lacking(pinned).length === 0) return choice;
    return refuse(`the invocation needs [${needs.join(', ')}] of harness \`${pinned}\`; ${lacks(pinned)}`);
  }
  if (needs.length > 0) {
    const able = names.find((name) => lacking(name).length === 0);
    if (able !== undefined) return choose(able, '');
    return refuse(
      `the invocation needs [${needs.join(', ')}]; ${names.length === 0 ? declared : names.map(lacks).join(', ')}`,
    );
  }
  if (command !== undefined) return choose('command', 'the invocation has a command, which harness `command` performs');
  if (defaultName !== undefined)
    return choose(defaultName, `the invocation is left to the default harness \`${defaultName}\``);
  return refuse(`the invocation names no harness, needs nothing, and there is no default; ${declared}`);
}
