/** The check kit: explores protocols, on the machines and the step that ship. */
export { check, type CheckOptions, type Progress } from './check.ts';
export { model } from './model.ts';
export type { ModelActor, ModelOptions, ModelState, Move } from './actors/options.ts';
export type { NetworkKind } from './actors/network.ts';
export type { Envelope, History } from './actors/history.ts';
export {
  linearizable,
  register,
  type LinearizableOptions,
  type Operations,
  type Sequential,
} from './actors/linearizable.ts';
export { tell, type TellEvent, type Telling, type Told } from './tell.ts';
export type { Facade, View } from './kernel/locals.ts';
export type { Strategy } from './engine/explore.ts';
export {
  isModel,
  type Checks,
  type Coverage,
  type Model,
  type Opened,
  type Properties,
  type Step,
} from './checkable.ts';
export type { CheckResult, CheckStats, Trace, Violation, ViolationKind } from './result.ts';
export { isProtocol, protocol, type PlainContext, type Protocol } from './protocol.ts';
export {
  outcomes,
  type Faults,
  type GroupState,
  type MemberMachine,
  type MemberModel,
  type MemberState,
  type Outcomes,
  type ProtocolMessage,
  type ProtocolOptions,
} from './group/options.ts';
export { fail, ok } from '../harness/outcome.ts';
export { writeCounterexample, type Counterexample, type CounterexampleOptions } from './counterexample.ts';
export { diagramOf } from './diagram.ts';
export { simulate } from './simulation/simulate.ts';
export type { SimulatedFaults, Simulated, SimulateOptions } from './simulation/options.ts';
export { randomOf, type Random } from './simulation/random.ts';
export { assertSchedules, randomSchedules, type ScheduleOptions, type SchedulesTried } from './assert-schedules.ts';
export { replay, type Replayed, type Schedule } from './schedule/schedule.ts';
export { arbitraries, type Arbitraries, type InputSchema, type RecordedSchedule } from './arbitraries.ts';
export { journalOf } from './journal-of.ts';
export {
  machinePaths,
  type MachinePath,
  type MachinePathsOptions,
  type PathEvent,
  type PathState,
} from './machine-paths.ts';
export {
  verifyJournals,
  type FirstOff,
  type JournalModel,
  type VerifiedGroup,
  type VerifiedJournal,
} from './verify-journals.ts';
