/** What an actor of a group can be, compiled once per definition. */
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import type { Fast } from './chart-types.ts';

/** How the kernel drives one registered actor. */
export type Compiled =
  | {
      readonly kind: 'machine';
      readonly id: string;
      /** The author's machine, whose actors were replaced by adapters. */
      readonly logic: AnyStateMachine;
      /** What XState sees in its place when it makes a child. */
      readonly adapter: AnyActorLogic;
      /** Its registered actors, by the name it spawns them by. */
      readonly sources: ReadonlyMap<string, Compiled>;
      /** Which event types each of its states can do something with, filled as they come. */
      readonly hearing: Map<string, Uint8Array>;
      /** How it starts and goes on without XState's detours, where that can be. */
      readonly fast: Fast | undefined;
    }
  | {
      readonly kind: 'member' | 'pure';
      readonly id: string;
      readonly logic: AnyActorLogic;
      readonly adapter: AnyActorLogic;
    };
