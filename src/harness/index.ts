/** `troupe/harness`: who performs invocations. */
export { acp, type AcpOptions } from './agent/acp/acp.ts';
export type { AcpApp, AcpHabits, AcpName, AcpPatience, AcpProgram } from './agent/acp/habits.ts';
export { agentHarness } from './agent/agent-harness.ts';
export { cli, type CliOptions } from './agent/cli/cli.ts';
export type { LineMeaning, OwnCli } from './agent/cli/own-program.ts';
export type { Sandbox } from './agent/cli/program.ts';
export type { CliName } from './agent/cli/programs.ts';
export { fakeAgent, type FakeAgent, type FakeOptions, type FakeScript, type FakeTurn } from './agent/fake.ts';
export type { AgentInput, AgentOptions } from './agent/options.ts';
export type { DecidePermission, PermissionPolicy } from './agent/permission.ts';
export {
  AgentFailure,
  type Agent,
  type AgentCapabilities,
  type AgentEvent,
  type AgentMcpServer,
  type AgentOpen,
  type AgentSession,
  type PermissionAnswer,
  type PermissionRequest,
  type TurnEnd,
} from './agent/port.ts';
export { command, type CommandOptions, type CommandOutput } from './command.ts';
export { fn, type FnOptions, type Perform, type Task, type TaskContext } from './fn.ts';
export { cancelled, fail, ok } from './outcome.ts';
export { plainError } from './plain-error.ts';
export {
  hold,
  later,
  never,
  scripted,
  type Call,
  type MemberScript,
  type Script,
  type ScriptedHarness,
  type ScriptedOptions,
  type Step,
} from './scripted.ts';
export { gitWorktrees, type GitWorktreesOptions } from './worktree/git-worktrees.ts';
export { worktreeBranch } from './worktree/names.ts';
export type { KeepWorktree, Worktree, WorktreeEnd, WorktreeOf, Worktrees } from './worktree/port.ts';
export { route, type HarnessFacts, type Rejection, type Route, type RouteQuestion } from './route.ts';
export type {
  Attempt,
  FailureClass,
  GateAnswer,
  Harness,
  Harnesses,
  Invocation,
  Letter,
  Mailbox,
  Message,
  Outcome,
  PlainError,
  Progress,
  Question,
  RetryPolicy,
  Sent,
  Taken,
  Usage,
} from './port.ts';
