/** Protocols of groups: a coordinator that ships, its members, and everything that may go wrong around them. */
import { TroupeError } from '../error.ts';
import { toJson, type JsonValue } from '../json.ts';
import { define } from '../group/definition.ts';
import { refuseReserved } from '../group/reserved.ts';
import { defineProcess, isProcess, type Process } from '../process/define-process.ts';
import { rewriterOf } from './actors/renamed-state.ts';
import { renamingsOf } from './actors/symmetry.ts';
import { isModel, type Checks, type Model, type Opened, type Properties } from './checkable.ts';
import { coverageOf } from './coverage.ts';
import { localsOf } from './kernel/locals.ts';
import { stepsOf } from './kernel/steps.ts';
import { behavioursOf } from './group/behaviours.ts';
import { groupForm } from './group/canonical-form.ts';
import { describeDeed, groupState } from './group/look.ts';
import { renamedGroupState } from './group/renamed-state.ts';
import type { Faults, GroupState, MemberMachine, Outcomes, ProtocolMessage, ProtocolOptions } from './group/options.ts';
import { refuseCount, refuseNames, refuseOthers, refuseProperties } from './refuse.ts';
import { slotsOf } from './group/slots.ts';
import { GroupSpace } from './group/space.ts';
import { Turns } from './group/turns.ts';
import { worldOf } from './group/world.ts';

const checkNames: readonly string[] = [
  'replayDeterminism',
  'noDeadlock',
  'canAlwaysEnd',
  'canAlwaysEndWithoutTimers',
  'noUnhandled',
  'noStaleTimer',
] satisfies readonly (keyof NonNullable<ProtocolOptions<never, never, never>['checks']>)[];

const optionNames: readonly string[] = [
  'coordinator',
  'input',
  'name',
  'members',
  'network',
  'faults',
  'timers',
  'messages',
  'cancel',
  'symmetry',
  'view',
  'properties',
  'executionsAtMost',
  'checks',
] satisfies readonly (keyof ProtocolOptions<never, never, never>)[];

const memberNames: readonly string[] = ['outcomes', 'machine', 'moves'] satisfies readonly (
  | keyof MemberMachine
  | keyof Outcomes
)[];
const messageNames: readonly string[] = [
  'from',
  'type',
  'body',
  'data',
  'times',
] satisfies readonly (keyof ProtocolMessage)[];

/** What properties see of a context whose type nobody gave. */
export type PlainContext = { readonly [name: string]: JsonValue };

/**
 * A protocol: a model of a group, and what it was made of. It is a process, too, of one group of its name: a file that has it as its
 * default export is the process file of the runs that its counterexamples are.
 */
export interface Protocol<Context = PlainContext, Output = JsonValue>
  extends Model<GroupState<Context, Output>>, Process<never, unknown> {
  readonly name: string;
  readonly options: ProtocolOptions<never, Output, Context>;
}

/**
 * A model of a group, to be given to `check`: the coordinator that ships, driven by the kernel that ships, while its members come out
 * in every way, results arrive in any order, hosts die between any two entries. Codes: MACHINE_UNSUPPORTED, BAD_INPUT, NOT_JSON,
 * RESERVED_EVENT for a message that nobody may send.
 */
export function protocol<Input, Output, Context = PlainContext>(
  options: ProtocolOptions<Input, Output, Context>,
): Protocol<Context, Output> {
  const { coordinator, name = coordinator.id, checks = {}, faults = {}, timers = 'any' } = options;
  define(coordinator);
  const input = toJson(options.input ?? null, 'input');
  behavioursOf(options.members, false);
  refuse(options as unknown as ProtocolOptions<never, Output, Context>);
  const isLossy = (faults.drop ?? 0) > 0;
  const resolved: Checks = {
    noDeadlock: checks.noDeadlock ?? true,
    canAlwaysEnd: checks.canAlwaysEnd ?? !(isLossy && timers === 'none'),
    canAlwaysEndWithoutTimers: checks.canAlwaysEndWithoutTimers ?? !isLossy,
  };
  const asProcess = defineProcess<never, unknown>(name, (ctx) => ctx.group(name, coordinator, input as Input).output);
  return {
    ...asProcess,
    bounds: boundsOf(options),
    isViewUsed: options.view !== undefined,
    isSymmetryUsed: options.symmetry !== undefined,
    properties: options.properties ?? {},
    checks: resolved,
    lanes: ['outside', 'host', 'coordinator'],
    options: options as unknown as ProtocolOptions<never, Output, Context>,
    open: () => open({ ...options, name }, input),
  };
}

function refuse<Output, Context>(options: ProtocolOptions<never, Output, Context>): void {
  const { checks, executionsAtMost, faults = {}, members, messages = [], network, properties, timers } = options;
  refuseNames('protocol', options, optionNames);
  refuseNames('protocol: faults', faults, ['hostCrash', 'memberCrash', 'duplicate', 'drop', 'late']);
  for (const [fault, count] of Object.entries(faults)) refuseCount(`protocol: faults.${fault}`, count, 0);
  refuseNames('protocol: checks', checks, checkNames);
  refuseOthers('protocol: network', network, ['ordered', 'bag']);
  refuseOthers('protocol: timers', timers, ['any', 'due', 'none']);
  refuseCount('protocol: executionsAtMost', executionsAtMost, 1);
  refuseProperties('protocol', properties as Properties<never> | undefined);
  for (const [address, one] of Object.entries(members ?? {}))
    if (!('root' in one)) refuseNames(`protocol: member \`${address}\``, one, memberNames);
  for (const message of messages) {
    const { from = 'outside', type, body, data, times } = message;
    refuseNames(`protocol: message \`${type}\``, message, messageNames);
    // It would not be heard, and the trace would show it.
    if (from === 'outside' ? body !== undefined : data !== undefined)
      throw new TroupeError(
        'BAD_INPUT',
        from === 'outside'
          ? `protocol: message \`${type}\` of \`outside\` has a \`body\`, which only a member's has; give its fields as \`data\``
          : `protocol: message \`${type}\` of member \`${from}\` has \`data\`, which only one of \`outside\` has; give it a \`body\``,
      );
    // Nobody can say it, so nothing is proven of what it would do.
    refuseReserved(type);
    refuseCount(`protocol: times of message \`${type}\``, times, 0);
  }
}

function boundsOf({
  faults = {},
  members = {},
  timers = 'any',
  cancel,
  messages,
}: Pick<ProtocolOptions<never, never, never>, 'cancel' | 'faults' | 'members' | 'messages' | 'timers'>): string {
  // What a machine that was given up would have come to, nobody knows.
  const hasMachines = Object.values(members).some((one) => !('outcomes' in one));
  const names: readonly (readonly [keyof Faults, string])[] = [
    ['hostCrash', 'crash'],
    ['memberCrash', 'member crash'],
    ['duplicate', 'dup'],
    ['drop', 'drop'],
    ['late', 'late'],
  ];
  return [
    ...names.flatMap(([fault, word]) => {
      if ((faults[fault] ?? 0) === 0) return [];
      return [`${word} ${faults[fault]}${fault === 'late' && hasMachines ? ' (not of machines)' : ''}`];
    }),
    `timers ${timers}`,
    ...(messages === undefined
      ? []
      : [
          `messages ${messages.map(({ type, times }) => (times === undefined ? type : `${type} x${times}`)).join(' ')}`,
        ]),
    ...(cancel === true ? ['cancel'] : []),
  ].join(', ');
}

function open<Input, Output, Context>(
  options: ProtocolOptions<Input, Output, Context>,
  input: JsonValue,
): Opened<GroupState<Context, Output>> {
  const { coordinator, checks = {}, faults = {}, symmetry, executionsAtMost, view, timers } = options;
  const isChecked = checks.replayDeterminism ?? true;
  const behaviours = behavioursOf(options.members, isChecked);
  const world = worldOf({
    behaviours,
    keepsGivenUp: (faults.late ?? 0) > 0,
    countsExecutions: executionsAtMost !== undefined,
  });
  const slots = slotsOf();
  const addresses = [...(symmetry ?? [])].flat();
  const steps = stepsOf(define(coordinator), localsOf(view), isChecked);
  const turns: Turns = new Turns(
    steps,
    {
      changeOf: (effect) => world.ofEffect(effect),
      slotOf: (address) => space.slotOf(address),
      changeId: (name, change) => slots.changeOf(name, change),
    },
    { noUnhandled: checks.noUnhandled ?? true, noStaleTimer: checks.noStaleTimer ?? true },
    timers === 'due',
  );
  const space: GroupSpace = new GroupSpace({
    options: { ...(options as unknown as ProtocolOptions<JsonValue, unknown, unknown>), input },
    behaviours,
    world,
    slots,
    addresses,
    hasTurns: () => turns,
  });
  const tables = { turns, slots, behaviours, world, addresses };
  const renamings = symmetry === undefined ? [] : renamingsOf(symmetry, addresses);
  const images = renamings.length === 0 ? undefined : groupForm(tables, space, renamings);
  if (images !== undefined) space.canonical = (key) => images.least(space.next, key);
  const state = groupState<Context, Output>(tables, space);
  const others = renamings.map((renaming) => renamedGroupState(state, rewriterOf(renaming)));
  return {
    space,
    state,
    variants: () => (images?.others(space.current) ?? []).map((which) => others[which] as typeof state),
    describe: (action) => describeDeed(tables, space, action),
    invariants: [],
    bytes: () => turns.bytes(),
    coverage: () => coverageOf([steps, ...behaviours.allSteps]),
    figures: () => ({
      locals: steps.locals.size,
      kernelSteps: steps.taken + behaviours.allSteps.reduce((sum, { taken }) => sum + taken, 0),
      members: addresses.length,
      records: slots.size,
    }),
  };
}

/** True for what {@link protocol} returns: a model whose counterexamples are runs. */
export function isProtocol(value: unknown): value is Protocol {
  return isModel(value) && 'options' in value && isProcess(value);
}
