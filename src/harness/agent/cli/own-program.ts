/** Any other command that speaks JSON lines: a row made from what its user declares. */
import { codeOfFailure, turnFailed } from '../failure.ts';
import { isFailureClass } from '../../outcome.ts';
import type { AgentCapabilities, AgentEvent, TurnEnd } from '../port.ts';
import { endedWithout, type Dialect } from './dialect.ts';
import { fields, status, text, type LineObject } from './line-object.ts';
import { oneShot, type CliProgram } from './program.ts';
import { programs, type CliName } from './programs.ts';

/** What a line says: events, and how the turn ended. */
export type LineMeaning = AgentEvent | ({ readonly type: 'end' } & TurnEnd);

/** A command of the user's own. */
export interface OwnCli {
  /** As in messages. Default: the program's name. */
  readonly name?: string;
  /**
   * Program and arguments. `{prompt}`, `{session}`, `{model}`, `{mcp}` (path of a JSON file `{mcpServers}`) and `{schema}` (path of a
   * JSON Schema) in them are replaced; an argument in which one of them has no value is left out. Without `{prompt}` the prompt is the
   * standard input.
   */
  readonly command: readonly string[];
  /** The same for a session that goes on. Without it no session does. */
  readonly resume?: readonly string[];
  /**
   * What its lines mean: those of a known CLI; a function (undefined: nothing); or, by default, the events of the agent port as they
   * are, one per line, and `{"type":"end","status":"ok","text":…}`, `{"type":"end","status":"error","class":…,"message":…}`.
   */
  readonly dialect?: CliName | ((line: LineObject) => LineMeaning | readonly LineMeaning[] | undefined);
  /** It takes the id of a new session by `{session}`. Default: whether `command` has that. */
  readonly presetSession?: boolean;
}

/** The row. */
export function ownProgram(own: OwnCli): CliProgram {
  const { command, resume, dialect = eventLine } = own;
  const name = own.name ?? (command[0] ?? '').split('/').at(-1) ?? 'agent';
  const has = (words: readonly string[], hole: string) => words.some((word) => word.includes(hole));
  const capabilities: AgentCapabilities = {
    ...oneShot,
    resume: resume !== undefined,
    presetSession: own.presetSession ?? has(command, '{session}'),
    mcp: has(command, '{mcp}'),
  };
  return {
    name,
    // Whole lines of words replace it, the program included: see `args`.
    command: [],
    dialect: typeof dialect === 'string' ? programs[dialect].dialect : readBy(name, dialect),
    capabilities,
    async commandLine(turn) {
      const { prompt, session, model, outputSchema, mcpServers } = turn;
      const line = session.isNew ? command : (resume ?? command);
      const servers = Object.fromEntries(
        mcpServers.map(({ name: server, url, headers }) => [server, { type: 'http', url, headers }]),
      );
      const holes: Readonly<Record<string, string | undefined>> = {
        prompt,
        session: session.id,
        model,
        mcp:
          has(line, '{mcp}') && mcpServers.length > 0
            ? await turn.file('mcp.json', JSON.stringify({ mcpServers: servers }))
            : undefined,
        schema:
          has(line, '{schema}') && outputSchema !== undefined
            ? await turn.file('schema.json', JSON.stringify(outputSchema))
            : undefined,
      };
      const args = line.flatMap((word) => filled(word, holes) ?? []);
      return { args, ...(has(line, '{prompt}') ? {} : { stdin: prompt }) };
    },
  };
}

/** Undefined when a hole has nothing to be filled with. */
function filled(word: string, holes: Readonly<Record<string, string | undefined>>): string | undefined {
  let isWhole = true;
  const made = word.replaceAll(/\{(prompt|session|model|mcp|schema)\}/g, (_hole, hole: string) => {
    isWhole &&= holes[hole] !== undefined;
    return holes[hole] ?? '';
  });
  return isWhole ? made : undefined;
}

function readBy(
  name: string,
  meaningOf: Extract<NonNullable<OwnCli['dialect']>, (...args: never) => unknown>,
): Dialect {
  return ({ emit }) => {
    let end: TurnEnd | undefined;
    const hear = (meaning: LineMeaning) => {
      if (meaning.type === 'end') end = meaning;
      else emit(meaning);
    };
    return {
      take(line) {
        try {
          const meaning = meaningOf(line);
          if (Array.isArray(meaning)) for (const one of meaning as readonly LineMeaning[]) hear(one);
          else if (meaning !== undefined) hear(meaning as LineMeaning);
        } catch (error) {
          emit({ type: 'notice', line: `a line of ${name} could not be read: ${String(error)}` });
        }
      },
      isOver: () => end !== undefined,
      end: (exit) => (end === undefined ? endedWithout(name, exit) : ended(end)),
    };
  };
}

/** Without the word that said that it is one. */
function ended(end: TurnEnd): TurnEnd {
  const { type: _type, ...rest } = end as TurnEnd & { readonly type?: string };
  return rest;
}

/** A line that is an event of the port itself; what is of another shape means nothing. */
function eventLine(line: LineObject): LineMeaning | undefined {
  const message = text(line['message']) || text(fields(line['error'])['message']);
  switch (line['type']) {
    case 'session':
      return text(line['id']) === '' ? undefined : { type: 'session', id: text(line['id']) };
    case 'text':
      return { type: 'text', text: text(line['text']), isDelta: line['isDelta'] === true };
    case 'tool': {
      const state = line['status'];
      if (state !== 'started' && state !== 'done' && state !== 'failed') return undefined;
      const data = { input: line['input'] ?? null, output: line['output'] ?? null };
      return { type: 'tool', id: text(line['id']), name: text(line['name']), status: state, ...data };
    }
    case 'usage': {
      const { tokens, costUsd } = line;
      return {
        type: 'usage',
        ...(typeof tokens === 'number' ? { tokens } : {}),
        ...(typeof costUsd === 'number' ? { costUsd } : {}),
        isCumulative: line['isCumulative'] === true,
      };
    }
    case 'retry':
      return {
        type: 'retry',
        attempt: status(line['attempt']) ?? 1,
        class: isFailureClass(line['class']) ? line['class'] : 'failed',
        message,
      };
    case 'denied':
      return { type: 'denied', tool: text(line['tool']), message };
    case 'mcp-failed':
      return { type: 'mcp-failed', server: text(line['server']), message };
    case 'notice':
      return { type: 'notice', line: text(line['line']) };
    case 'end':
      return endLine(line, message);
    default:
      return undefined;
  }
}

function endLine(line: LineObject, message: string): LineMeaning | undefined {
  if (line['status'] === 'ok') {
    const { structured } = line;
    return { type: 'end', status: 'ok', text: text(line['text']), ...(structured === undefined ? {} : { structured }) };
  }
  if (line['status'] === 'cancelled') return { type: 'end', status: 'cancelled' };
  if (line['status'] !== 'error') return undefined;
  const end = turnFailed(codeOfFailure(message), message || 'its turn failed');
  return { type: 'end', ...end, ...(isFailureClass(line['class']) ? { class: line['class'] } : {}) };
}
