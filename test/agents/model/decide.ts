/**
 * What the model does next: a function of the request alone, so that any number of agents may ask in any order. (What is
 * refused only so many times is counted by the caller.)
 */
import type { JsonObject, OfferedTool, Question, ReportedUsage, Said } from './question.ts';
import { scriptIn, scriptText, type Breakage, type Step } from './script.ts';

/** What agents ask behind the user's back, with their tools and the whole conversation: Qwen Code's suggestions and memories. */
const backgroundPrompt = /^(\[SUGGESTION MODE|Managed memory has TWO directories)/;

/** A side request: a title, a summary, a suggestion; never a step of a script. */
export function isSide({ tools, said }: Question): boolean {
  const last = said.at(-1);
  return tools.length === 0 || (last?.type === 'user' && backgroundPrompt.test(last.text));
}

/** What it does. */
export type Decision = { readonly waitMs: number; readonly step: number; readonly usage: ReportedUsage } & (
  | { readonly type: 'say'; readonly pieces: readonly string[]; readonly everyMs: number }
  | { readonly type: 'call'; readonly tool: OfferedTool; readonly args: JsonObject; readonly text: string }
  | {
      readonly type: 'refuse';
      readonly status: number;
      readonly message: string;
      readonly retryAfterS: number | undefined;
    }
  | { readonly type: 'break'; readonly how: Breakage }
);

/** What a side request is answered, and whoever brings no script. */
export const constantText = 'A short answer.';

const defaultUsage: ReportedUsage = { in: 100, out: 10 };

/** Tools by which an agent finds those that it does not offer at once; their calls and results are not steps. */
const searchTools = /^(ToolSearch|tool_search)$/;

/** Decides. `spent(key)` says how often the step of this key has been refused or broken before. */
export function decide(question: Question, spent: (key: string) => number): Decision {
  const say = (text: string, step = -1): Decision => ({
    type: 'say',
    pieces: [text],
    everyMs: 0,
    waitMs: 0,
    step,
    usage: defaultUsage,
  });
  if (isSide(question)) return say(constantText);
  const start = question.said.findLastIndex((one) => one.type === 'user' && scriptText(one.text) !== undefined);
  const opening = question.said[start];
  if (opening === undefined || !('text' in opening)) return say(constantText);
  let steps: readonly Step[];
  try {
    steps = (scriptIn(opening.text) ?? []).filter(({ wire }) => wire === undefined || wire === question.wire);
  } catch (error) {
    return say(`the script cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const since = question.said.slice(start + 1);
  const index = stepOf(steps, since, (at) => spent(stepKey(question, at)));
  const step = steps[index];
  return step === undefined ? say(constantText) : doStep(step, index, question, since);
}

/** Names a step of the script in a request, for counting. */
export function stepKey(question: Question, index: number): string {
  const opening = question.said.findLast((one) => one.type === 'user' && scriptText(one.text) !== undefined);
  return `${question.wire} ${index} ${opening !== undefined && 'text' in opening ? (scriptText(opening.text) ?? '') : ''}`;
}

/** The step to do: a result uses one up, and so does a text that somebody has answered; past the end the last is done again. */
function stepOf(steps: readonly Step[], since: readonly Said[], spent: (index: number) => number): number {
  let index = 0;
  let tries = 0;
  let hasSpoken = false;
  let heard = '';
  const searches = searchesIn(since);
  /** Past what refuses or breaks no more, and what waits for a text that has come already. */
  const pass = (isPast: boolean) => {
    for (let step = steps[index]; step !== undefined; step = steps[index]) {
      if (step.type === 'error' || step.type === 'broken') {
        if (!isPast && spent(index) < step.times) return;
      } else {
        const { until } = step.type === 'tool' ? step : { until: [] };
        if (tries > 0 || until.length === 0 || !until.every((text) => heard.includes(text))) return;
      }
      index += 1;
    }
  };
  const advance = () => {
    index += 1;
    tries = 0;
    hasSpoken = false;
  };
  for (const one of since) {
    if (one.type === 'assistant' && one.text !== '') hasSpoken = true;
    else if (one.type === 'user' && hasSpoken) {
      pass(true);
      const step = steps[index];
      if (step?.type === 'text' || step?.type === 'slow' || step?.type === 'echo') advance();
      hasSpoken = false;
    } else if (one.type === 'result' && !searches.has(one.id)) {
      pass(true);
      const step = steps[index];
      heard += one.text;
      tries += 1;
      const isOver =
        step?.type !== 'tool' || step.until.every((text) => heard.includes(text)) || tries >= Math.max(1, step.max);
      if (isOver) advance();
    }
  }
  pass(false);
  return Math.min(index, steps.length - 1);
}

function doStep(step: Step, index: number, question: Question, since: readonly Said[]): Decision {
  const common = { waitMs: step.wait ?? 0, step: index, usage: step.usage ?? defaultUsage };
  switch (step.type) {
    case 'text':
      return { type: 'say', pieces: inPieces(filled(step.text, since), step.pieces), everyMs: 0, ...common };
    case 'slow':
      return {
        type: 'say',
        pieces: Array.from({ length: step.n }, (_, n) => `token-${n + 1} `),
        everyMs: step.ms,
        ...common,
      };
    case 'echo':
      return { type: 'say', pieces: [JSON.stringify(toldIn(since))], everyMs: 0, ...common };
    case 'error':
      return {
        type: 'refuse',
        status: step.status,
        message: step.message,
        retryAfterS: step.retryAfterS,
        ...common,
      };
    case 'broken':
      return { type: 'break', how: step.how, ...common };
    case 'tool': {
      const tool = offered(question.tools, step.tool);
      const args = JSON.parse(filled(JSON.stringify(step.args), since)) as JsonObject;
      if (tool !== undefined) return { type: 'call', tool, args, text: step.text, ...common };
      const hidden = found(step.tool, question, since);
      if (hidden !== undefined)
        return { type: 'call', ...hidden, args: { ...hidden.args, arguments: args }, text: step.text, ...common };
      const search = question.tools.find(({ name }) => isSearch(name));
      const last = since.at(-1);
      const isAsked = last?.type === 'result' && searchesIn(since).has(last.id);
      if (search !== undefined && !isAsked) {
        const most = question.wire === 'responses' ? 'limit' : 'max_results';
        return {
          type: 'call',
          tool: search,
          args: { query: step.tool.split('|')[0] ?? '', [most]: 10 },
          text: '',
          ...common,
        };
      }
      const names = question.tools.map(({ name, namespace }) =>
        namespace === undefined ? name : `${namespace}.${name}`,
      );
      return { type: 'say', pieces: [`no tool \`${step.tool}\`; offered: ${names.join(', ')}`], everyMs: 0, ...common };
    }
  }
}

/** Of an agent that keeps its tools hidden: the tool that calls others, and the name of the wanted one as a search has found it. */
function found(
  wanted: string,
  { tools }: Question,
  since: readonly Said[],
): { readonly tool: OfferedTool; readonly args: JsonObject } | undefined {
  const tool = tools.find(({ name }) => name === 'tool_call');
  if (tool === undefined) return undefined;
  const said = since.map((one) => (one.type === 'result' ? one.text : '')).join('\n');
  for (const suffix of wanted.split('|')) {
    const name = /[\w-]+$/.exec(suffix)?.[0] ?? suffix;
    const match = new RegExp(`name\\\\*": ?\\\\*"([\\w.-]*${name})\\\\*"`).exec(said)?.[1];
    if (match !== undefined) return { tool, args: { name: match } };
  }
  return undefined;
}

function toldIn(since: readonly Said[]): readonly JsonObject[] {
  return since.flatMap((one): JsonObject[] => {
    if (one.type === 'user' || one.type === 'system') return [{ from: one.type, text: one.text }];
    return one.type === 'result' ? [{ from: 'tool', text: one.text }] : [];
  });
}

/** With what results have told in the place of `{{NAME}}`; the name stays where nothing has told it. */
function filled(text: string, since: readonly Said[]): string {
  const heard = since.map((one) => (one.type === 'result' ? one.text : '')).join('\n');
  return text.replaceAll(
    /\{\{(\w+)\}\}/g,
    (name, key: string) => new RegExp(`${key}=([\\w.-]+)`).exec(heard)?.[1] ?? name,
  );
}

function inPieces(text: string, count: number): readonly string[] {
  const length = Math.max(1, Math.ceil(text.length / count));
  return Array.from({ length: count }, (_, index) => text.slice(index * length, (index + 1) * length)).filter(
    (piece) => piece !== '',
  );
}

/** Ids of the calls that searched for tools. */
function searchesIn(since: readonly Said[]): ReadonlySet<string> {
  return new Set(since.flatMap((one) => (one.type === 'call' && isSearch(one.tool) ? [one.id] : [])));
}

function isSearch(name: string): boolean {
  return searchTools.test(name);
}

function offered(tools: readonly OfferedTool[], wanted: string): OfferedTool | undefined {
  for (const suffix of wanted.split('|')) {
    const found = tools.find(({ name }) => name === suffix) ?? tools.find(({ name }) => name.endsWith(suffix));
    if (found !== undefined) return found;
  }
  return undefined;
}
