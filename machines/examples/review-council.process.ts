/**
 * A council reviews source files: three reviewers at the same time, who tell each other where they found something. One is killed at
 * its work and replaced, a fourth joins when the first has reported, a judge marks a checkpoint and proposes a verdict,
 * and somebody has to approve it. No model and no key: the reviewers are functions that read the files.
 *
 *     npx troupe run machines/examples/review-council.process.ts --run-id council
 *     npx troupe approve council ship        (in another terminal; or interrupt, approve, and npx troupe resume council)
 *
 * Other files: --input '{"files":["src/a.ts","src/b.ts"]}'. Nobody is killed with "kill": "".
 */
import { readFile } from 'node:fs/promises';
import { defineProcess, type Harnesses, type JsonValue, type Message } from 'troupe';
import { fn } from 'troupe/harness';
import { reviewCouncil, type CouncilOutput } from './review-council.ts';

/** Input of a run; every field has a default. */
interface Input {
  readonly files?: readonly string[];
  readonly kill?: string;
}

const defaultFiles = [
  'src/group/attempts.ts',
  'src/group/post.ts',
  'src/process/pass.ts',
  'src/journal/file.ts',
  'machines/fan-out.ts',
];

interface Finding {
  readonly line: number;
  readonly what: string;
}

type Lens = (lines: readonly string[]) => readonly Finding[];

/** A function's first line, at the left margin or indented by two. */
const functionStart = /^(?: {2})?(?:export )?(?:async )?(?:function \w+|const \w+ = (?:async )?\([^)]*\).*=> \{)/;

/** What the reviewers look at. */
const lenses: Readonly<Record<string, Lens>> = {
  'leftovers': (lines) =>
    lines.flatMap((text, index) =>
      /(?:\/\/|^\s*\*).*\b(?:TODO|FIXME|XXX|HACK)\b/.test(text) ? [{ line: index + 1, what: text.trim() }] : [],
    ),
  'doc comments': (lines) =>
    lines.flatMap((text, index) => {
      const name = /^export (?:async )?(?:function|const|interface|type|class) (\w+)/.exec(text)?.[1];
      return name === undefined || /\*\/\s*$/.test(lines[index - 1] ?? '')
        ? []
        : [{ line: index + 1, what: `${name} has no doc comment` }];
    }),
  'long functions': (lines) =>
    lines.flatMap((text, index) => {
      if (!functionStart.test(text)) return [];
      const margin = /^ */.exec(text)?.[0] ?? '';
      const length = lines.slice(index).findIndex((line) => line.startsWith(`${margin}}`)) + 1;
      return length > 25 ? [{ line: index + 1, what: `a function of ${length} lines` }] : [];
    }),
  'long lines': (lines) =>
    lines.flatMap((text, index) => (text.length > 120 ? [{ line: index + 1, what: `${text.length} columns` }] : [])),
};

interface Brief {
  readonly lens: string;
  readonly files: readonly string[];
  /** What the others told before this reviewer sat down. */
  readonly heard: readonly { readonly lens: string; readonly files: readonly string[] }[];
  readonly peers: number;
  readonly dies: boolean;
}

/** A reviewer: reads the files, tells the others which ones it found something in, and hears where they did. */
const reviewer = fn(
  async ({ member, input }, { send, inbox, progress }) => {
    const { lens, files, heard, peers, dies } = input as unknown as Brief;
    const look = lenses[lens];
    if (look === undefined) throw new Error(`there is no lens \`${lens}\`; lenses: ${Object.keys(lenses).join(', ')}`);
    const findings: { readonly file: string; readonly line: number; readonly what: string }[] = [];
    for (const [index, file] of files.entries()) {
      progress(`${file} (${index + 1} of ${files.length})`);
      const lines = (await readFile(file, 'utf8')).split('\n');
      findings.push(...look(lines).map((finding) => ({ file, ...finding })));
      if (dies)
        throw Object.assign(new Error(`reviewer \`${member}\` was killed while it read ${file}`), { class: 'crashed' });
    }
    const told = { lens, files: [...new Set(findings.map(({ file }) => file))] };
    await send({ to: 'coordinator', type: 'finding', body: told });
    await send({ to: '*', type: 'finding', body: told });

    const known = new Map(heard.map((one) => [one.lens, one.files]));
    for (let missing = peers - known.size; missing > 0; missing = peers - known.size) {
      progress(`waits to hear of ${missing} more`);
      const messages: readonly Message[] = await inbox({ waitMs: 2_000 });
      if (messages.length === 0) break;
      for (const { body } of messages) {
        const other = body as unknown as Brief['heard'][number];
        known.set(other.lens, other.files);
      }
    }
    known.delete(lens);
    const shared = told.files.filter((file) => [...known.values()].some((others) => others.includes(file)));
    progress(`${findings.length} findings`);
    return { lens, findings, heardOf: [...known.keys()].toSorted(), shared };
  },
  { capabilities: ['code-review'] },
);

/** The judge: files in which several reviewers found something come first. */
const judge = fn(
  async ({ input }, { checkpoint, progress }) => {
    const { reviews } = input as unknown as {
      readonly reviews: readonly {
        readonly seat: string;
        readonly review: { readonly findings?: readonly { readonly file: string }[] };
      }[];
    };
    const perFile = new Map<string, Set<string>>();
    let findings = 0;
    for (const { seat, review } of reviews) {
      for (const { file } of review.findings ?? []) {
        findings += 1;
        perFile.set(file, new Set([...(perFile.get(file) ?? []), seat]));
      }
    }
    await checkpoint({ name: 'reviews weighed', settled: reviews.length, total: reviews.length, data: { findings } });
    const hotSpots = [...perFile]
      .filter(([, seats]) => seats.size > 1)
      .toSorted(([one, few], [other, many]) => many.size - few.size || one.localeCompare(other))
      .map(([file, seats]) => ({ file, reviewers: seats.size }));
    progress(`${findings} findings in ${perFile.size} files`);
    return {
      findings,
      files: perFile.size,
      hotSpots,
      proposal: hotSpots.length === 0 ? 'ship' : 'look at the hot spots first',
    };
  },
  { capabilities: ['judge'] },
);

/** Who performs the members. */
export const harnesses: Harnesses = { reviewer, judge };

/** Output: the verdict, who reviewed, who was replaced, and what was decided. */
export default defineProcess('review-council', async (ctx, input: Input | null) => {
  const council = ctx.group('council', reviewCouncil, {
    files: input?.files ?? defaultFiles,
    seats: ['leftovers', 'doc comments', 'long functions'].map((lens) => ({ id: lens, lens })),
    quorum: 4,
    kill: input?.kill ?? 'doc comments',
  });
  for await (const { name } of council.checkpoints) {
    // The fourth joins when the first has reported.
    if (name === 'review 1') await council.send({ type: 'join', id: 'long lines', lens: 'long lines' });
    if (name === 'reviews weighed') break;
  }
  const { ship, note, verdict, reviews, replaced }: CouncilOutput = await council.output;
  return {
    ship,
    note,
    verdict,
    reviewers: reviews.map(({ seat, review }) => {
      const { findings, heardOf } = review as {
        readonly findings?: readonly JsonValue[];
        readonly heardOf?: readonly string[];
      };
      return { seat, findings: findings?.length ?? null, heardOf: heardOf ?? [] };
    }),
    replaced,
  };
});
