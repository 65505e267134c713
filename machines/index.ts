/** The coordinator library. Each machine is one file of plain XState over what any author can import. */
export { fanOut, type FanOutInput, type FanOutMember, type FanOutOutput } from './fan-out.ts';
export { race, type RaceInput, type RaceOutput } from './race.ts';
export {
  withMachines,
  type Failure,
  type MemberEnd,
  type MemberInput,
  type NestedMachine,
  type Result,
  type Work,
} from './member-input.ts';
export { mapReduce, type MapReduceInput, type MapReduceOutput } from './map-reduce.ts';
export {
  pipeline,
  type PipelineInput,
  type PipelineMember,
  type PipelineOutput,
  type PipelineStage,
  type StepEnd,
} from './pipeline.ts';
export { quorum, type QuorumInput, type QuorumOutput } from './quorum.ts';
export { debate, type DebateInput, type DebateOutput } from './debate.ts';
export { election, type ElectionInput, type ElectionOutput, type Term } from './election.ts';
export { escalation, type EscalationInput, type EscalationOutput, type Tried } from './escalation.ts';
export type { EscalationGate, EscalationMember } from './levels.ts';
export { saga, type SagaInput, type SagaOutput, type SagaStep } from './saga.ts';
export {
  supervisor,
  type ChildEnd,
  type SupervisedChild,
  type SupervisorInput,
  type SupervisorOutput,
} from './supervisor.ts';
export { taskBoard, type TaskBoardInput, type TaskBoardOutput } from './task-board.ts';
export type { BoardTask, TaskEnd } from './board.ts';
export { taskCrew, type TaskCrewInput } from './task-crew.ts';
