/** What babysitter's tasks ask for, in the words of an invocation; and what comes of it, in babysitter's. */
import type { Invocation } from '../harness/port.ts';
import { toJson, type JsonValue } from '../json.ts';
import { fileIn } from './run/effect-files.ts';
import type { Action } from './run/load-sdk.ts';

/** Who there is. */
export interface Declared {
  /** Names of harnesses. */
  readonly names: readonly string[];
  readonly defaultHarness: string | undefined;
  /** Absolute: paths of files are relative to it, and programs run elsewhere. */
  readonly runDir: string;
}

/** An effect as an invocation; or why nobody here can perform it. */
export type Wanted =
  | {
      readonly invocation: Invocation;
      readonly note?: string;
      readonly outputFile?: string;
      readonly inputs?: InputFile;
    }
  | { readonly refusal: string };

/** A file that the effect reads. */
export interface InputFile {
  readonly path: string;
  readonly value: JsonValue;
}

/** Babysitter's names of harnesses that have other ones here. */
const aliases: Readonly<Record<string, string>> = {
  'claude-code': 'claude',
  'codex-cli': 'codex',
  'copilot-cli': 'copilot',
  'gemini-cli': 'gemini',
  'github-copilot': 'copilot',
};

/** The invocation of an effect of kind agent, skill, orchestrator_task, shell or node; other kinds are performed otherwise. */
export function invocationOf(action: Action, declared: Declared): Wanted {
  const { taskDef, schedulerHints = {} } = action;
  const timeoutMs =
    schedulerHints.timeoutMs ?? numberIn(taskDef, 'timeoutMs') ?? numberIn(record(taskDef['execution']), 'timeoutMs');
  const common = timeoutMs === undefined ? {} : { timeoutMs };
  switch (action.kind) {
    case 'shell':
      return shellOf(record(taskDef['shell']), common);
    case 'node':
      return nodeOf(action, record(taskDef['node']), declared.runDir, common);
    case 'agent':
    case 'skill':
    case 'orchestrator_task':
      return agentOf(action, declared, common);
    default:
      return {
        refusal: `effects of kind \`${action.kind}\` are not known here; post a result with babysitter's own task:post`,
      };
  }
}

type Fields = Readonly<Record<string, unknown>>;
const record = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const textIn = (fields: Fields, name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined);
const numberIn = (fields: Fields, name: string) => (typeof fields[name] === 'number' ? fields[name] : undefined);

/** All exit codes are values: babysitter's processes look at them. */
const anyExit = Array.from({ length: 256 }, (_, code) => code);

function placeOf(fields: Fields): Pick<Invocation, 'cwd' | 'env' | 'timeoutMs'> {
  const cwd = textIn(fields, 'cwd');
  const timeoutMs = numberIn(fields, 'timeoutMs') ?? numberIn(fields, 'timeout');
  const env = Object.entries(record(fields['env'])).filter(
    (one): one is [string, string] => typeof one[1] === 'string',
  );
  return {
    ...(cwd === undefined ? {} : { cwd }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(env.length === 0 ? {} : { env: Object.fromEntries(env) }),
  };
}

function shellOf(shell: Fields, common: Partial<Invocation>): Wanted {
  const command = textIn(shell, 'command');
  if (command === undefined) return { refusal: 'its task names no shell.command' };
  const args = Array.isArray(shell['args']) ? shell['args'].map(String) : [];
  const argv = args.length > 0 ? [command, ...args] : ['sh', '-c', command];
  return { invocation: { ...common, ...placeOf(shell), command: argv, success: { exitCodes: anyExit } } };
}

function nodeOf({ taskDef, effectId }: Action, node: Fields, runDir: string, common: Partial<Invocation>): Wanted {
  const entry = textIn(node, 'entry');
  if (entry === undefined) return { refusal: 'its task names no node.entry' };
  const args = Array.isArray(node['args']) ? node['args'].map(String) : [];
  const io = record(taskDef['io']);
  const inputPath = textIn(io, 'inputJsonPath');
  const outputFile = textIn(io, 'outputJsonPath');
  const place = placeOf(node);
  const env = {
    ...place.env,
    BABYSITTER_EFFECT_ID: effectId,
    ...(inputPath === undefined ? {} : { BABYSITTER_INPUT_JSON: fileIn(runDir, inputPath) }),
    ...(outputFile === undefined ? {} : { BABYSITTER_OUTPUT_JSON: fileIn(runDir, outputFile) }),
  };
  return {
    invocation: { ...common, ...place, env, command: ['node', entry, ...args] },
    ...(outputFile === undefined ? {} : { outputFile }),
    ...(inputPath === undefined ? {} : { inputs: { path: inputPath, value: jsonOf(taskDef['inputs'] ?? null) } }),
  };
}

function agentOf(action: Action, declared: Declared, common: Partial<Invocation>): Wanted {
  const { taskDef, schedulerHints = {}, kind } = action;
  const execution = record(taskDef['execution']);
  const wanted =
    schedulerHints.preferredHarness ?? textIn(execution, 'harness') ?? textIn(record(taskDef['metadata']), 'harness');
  const named =
    wanted === undefined ? undefined : [wanted, aliases[wanted] ?? ''].find((name) => declared.names.includes(name));
  const agents = declared.names.filter((name) => name !== 'command');
  const harness = named ?? declared.defaultHarness ?? (agents.length === 1 ? agents[0] : undefined);
  if (harness === undefined) {
    const why =
      wanted === undefined ? 'it names no harness, and there is no default' : `it asks for harness \`${wanted}\``;
    return {
      refusal: `${why}; there are: ${declared.names.join(', ') || 'none'}. Declare it in troupe.config.ts, or say which one is route.default`,
    };
  }
  const section = record(taskDef[kind === 'skill' ? 'skill' : kind === 'agent' ? 'agent' : 'orchestratorTask']);
  const outputSchema = section['outputSchema'] ?? record(section['prompt'])['outputSchema'];
  const model = textIn(execution, 'model');
  const input = {
    ...(outputSchema === undefined ? {} : { outputSchema: jsonOf(outputSchema) }),
    ...(model === undefined ? {} : { model }),
  };
  return {
    invocation: {
      ...common,
      ...placeOf(section),
      harness,
      prompt: promptOf(action, section),
      ...(Object.keys(input).length === 0 ? {} : { input }),
    },
    ...(wanted !== undefined && named === undefined
      ? { note: `asks for harness \`${wanted}\`, which there is not; \`${harness}\` performs it` }
      : {}),
  };
}

/** The prompt as it is written, or its parts under their names. */
function promptOf({ taskDef, kind, label }: Action, section: Fields): string {
  const prompt = section['prompt'] ?? section['payload'] ?? section['context'];
  if (typeof prompt === 'string') return prompt;
  const title = textIn(taskDef, 'title') ?? label ?? kind;
  const about = [title, textIn(taskDef, 'description')].filter((text) => text !== undefined);
  if (kind === 'skill') about.push(`Use the skill \`${textIn(section, 'name') ?? title}\`.`);
  const parts = Object.entries(record(prompt)).map(([name, part]) => {
    const text =
      typeof part === 'string'
        ? part
        : Array.isArray(part)
          ? part.map((one) => `- ${lineOf(one)}`).join('\n')
          : lineOf(part);
    return `## ${name}\n${text}`;
  });
  const inputs = taskDef['inputs'];
  if (parts.length === 0 && inputs !== undefined) parts.push(`## inputs\n${lineOf(inputs)}`);
  return [...about, ...parts].join('\n\n');
}

const lineOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

function jsonOf(value: unknown): JsonValue {
  return toJson(value, 'task');
}
