/**
 * What every agent promises, as a suite for any adapter: an app in this process, a fake program, a real CLI. Its prompts are scripts
 * of the mock model, so that what is tested is the adapter and the program, never a model's mood.
 */
import { describe } from 'vitest';
import { type AgentUnderTest, conformanceKit } from './conformance-kit.ts';
import { processes, resuming } from './conformance-lives.ts';
import { permissions } from './conformance-permissions.ts';
import { turns } from './conformance-turns.ts';

export type { AgentUnderTest } from './conformance-kit.ts';

/** Declares the suite. */
export function agentConformance(subject: AgentUnderTest): void {
  const { capabilities, hasProcesses, name } = subject;
  describe(`agent conformance: ${name}`, () => {
    const kit = conformanceKit(subject);
    turns(kit);
    if (capabilities.permissions === 'asks') permissions(kit);
    if (capabilities.resume) resuming(kit);
    if (hasProcesses) processes(kit);
  });
}
