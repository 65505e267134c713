/** The command line: names, options, help. Each command is loaded when it is asked for: `troupe ls` needs nothing of what `troupe run` does. */
import type { ExportCommandOptions } from './export-command.ts';
import type { InspectCommandOptions } from './inspect-command.ts';
import { mcpHelp } from './mcp-help.ts';
import { Command, Option, type OptionValues } from 'commander';
import { engineVersion } from '../version.ts';
import { exitCodeHelp } from './exit-codes.ts';

const noAskHelp = 'do not ask at the terminal: gates wait for troupe approve; so with --json, and in CI';
const dataHelp = 'data folder; default $TROUPE_DATA, or .troupe';

/** The program. `done` is told the exit code of the command that ran. */
export function program(done: (exitCode: number) => void): Command {
  const troupe = new Command('troupe')
    .description(
      'Runs processes that compose groups of commands and agents; killed in the middle, they go on where they were.',
    )
    .version(engineVersion, '--version', 'print the version')
    .helpOption('--help', 'print help for a command')
    .helpCommand(false)
    .configureHelp({
      sortOptions: false,
      sortSubcommands: false,
      // Every command has options.
      subcommandTerm: (one) => `${one.name()} ${one.usage().replace(/^\[options\] ?/, '')}`.trimEnd(),
    })
    .exitOverride()
    .addHelpText(
      'after',
      `\nExample:\n  $ troupe run review.process.ts --input '{"files":["src/a.ts"]}'\n\n${exitCodeHelp()}`,
    );

  const command = (usage: string, description: string, example: string) => {
    const made = troupe.command(usage).description(description).helpOption('--help', 'print this help');
    return made.addHelpText('after', `\nExample:\n  $ ${example}`);
  };
  const finish = (made: Command, action: (args: readonly string[], options: OptionValues) => Promise<number>) => {
    made.option('--data <dir>', dataHelp).option('--json', 'print JSON, for programs');
    made.action(async () => done(await action(made.args, made.opts())));
  };

  finish(
    command(
      'run <file>',
      'start a run of a process file, or take one up',
      `troupe run review.process.ts --run-id review-1 --input @input.json`,
    )
      .option('--input <json>', 'input of the run: JSON, @file, or @- for standard input')
      .option(
        '--run-id <id>',
        'id of the run: an unfinished one goes on, a finished one prints its result; default a new id',
      )
      .option('--continue', 'go on with the newest unfinished run of this file, if there is one')
      .option('--no-ask', noAskHelp),
    async ([file = ''], options) => (await import('./run-command.ts')).runCommand(file, options),
  );
  finish(
    command('resume <run>', 'take a run up where it is', 'troupe resume 7k2fd')
      .option('--file <file>', 'process file, if it is not where it was')
      .option('--no-ask', noAskHelp),
    async ([run = ''], options) => (await import('./run-command.ts')).resumeCommand(run, options),
  );
  finish(
    command('ls', 'list runs, newest first', 'troupe ls --all').option('--all', 'all of them, not the newest 20 only'),
    async (_, options) => (await import('./list-command.ts')).listCommand(options),
  );
  finish(
    command(
      'estimate <process>',
      'say what a process, by its name or file, has used in earlier runs',
      'troupe estimate review.process.ts',
    ).option('--last <count>', 'by so many completed runs, the newest', '20'),
    async ([what = ''], options) =>
      (await import('./estimate-command.ts')).estimateCommand(what, { last: '', ...options }),
  );
  finish(
    command('show <run>', 'print a run: its groups, members, checkpoints and result', 'troupe show 7k2fd --json'),
    async ([run = ''], options) => (await import('./show-command.ts')).showCommand(run, options),
  );
  finish(
    command('log <run>', "print a run's entries, with --json as NDJSON", 'troupe log 7k2fd --group reviewers --follow')
      .option('--group <name>', 'only the entries of this group')
      .option('--follow', 'print new entries as they come, until the run ends'),
    async ([run = ''], options) => (await import('./log-command.ts')).logCommand(run, options),
  );
  finish(
    command(
      'cancel <run>',
      'end a run as cancelled, and everything it has started',
      'troupe cancel 7k2fd --reason "wrong branch"',
    ).option('--reason <text>', 'why; recorded', 'cancelled from the command line'),
    async ([run = ''], options) => (await import('./cancel-command.ts')).cancelCommand(run, { reason: '', ...options }),
  );
  finish(
    command(
      'send <run> <group> <to> <body>',
      'send a message to a member, to `coordinator`, or to all (`*`); text, or JSON',
      'troupe send 7k2fd reviewers src/c.ts "a.ts changed its return type" --mode steer',
    )
      .option('--type <type>', "the message's type", 'message')
      .addOption(
        new Option('--mode <mode>', 'how it reaches a running member')
          .choices(['queue', 'steer', 'interrupt'])
          .default('queue'),
      )
      .option('--id <id>', 'names the message: the same id twice is one message; default a new id'),
    async (args, options) => (await import('./send-command.ts')).sendCommand(args, { type: '', ...options }),
  );
  finish(
    command(
      'approve <run> <gate>',
      'answer an open gate: approve it, or reject it',
      'troupe approve 7k2fd ship --note "after the fix"',
    )
      .option('--group <name>', 'the group whose gate it is, if several have one of this name')
      .option('--reject', 'reject it')
      .option('--note <text>', 'why; recorded, and heard by whoever asked', ''),
    async ([run = '', gate = ''], options) =>
      (await import('./approve-command.ts')).approveCommand(run, gate, { note: '', ...options }),
  );
  finish(
    command('export <run>', 'write a run for another tool', 'troupe export 7k2f --as mermaid --out run.mmd')
      .addOption(new Option('--as <format>', 'mermaid, svg, shiviz, chrome, otlp or stately').makeOptionMandatory())
      .option('--out <file>', 'file to write; default standard output')
      .option('--group <name>', 'of which group (svg)')
      .option('--at <position>', 'at which entry (svg); default the last')
      .option('--mask <pattern>', 'a regular expression: what matches is not written')
      .option('--file <file>', 'process file, when it is no longer where it was'),
    async ([run = ''], options) =>
      (await import('./export-command.ts')).exportCommand(run, options as ExportCommandOptions),
  );

  finish(
    command('graph <file>', 'draw a machine of a file', 'troupe graph machines/fan-out.ts --svg --out fan-out.svg')
      .option('--machine <name>', 'which, by its export or id')
      .option('--mermaid', 'as a Mermaid state diagram; the default')
      .option('--svg', 'as a picture')
      .option('--out <file>', 'file to write; default standard output'),
    async ([file = ''], options) => (await import('./graph-command.ts')).graphCommand(file, options),
  );

  finish(
    command(
      'check <file>',
      'prove the protocols that a file exports, or show the fewest steps to what does not hold',
      'troupe check council.check.ts --max-seconds 60',
    )
      .option('--model <name>', 'only this one, by its name or export')
      .option('--max-states <count>', 'give up when there are more; default 20,000,000')
      .option('--max-seconds <seconds>', 'give up after this time; default no limit')
      .option('--all', 'go on after the first violation: one of each property')
      .option('--open', 'show the first counterexample in the page of troupe inspect'),
    async ([file = ''], options) => (await import('./check-command.ts')).checkCommand(file, options),
  );

  finish(
    command(
      'inspect [target]',
      'see a run (or a journal file, or a machine file) in a local page, live or after it ended',
      'troupe inspect 7k2f --allow-control',
    )
      .option('--port <port>', 'port on 127.0.0.1; 0 takes any', '0')
      .option('--export <file>', 'write one self-contained page instead')
      .option('--allow-control', 'let the page send, approve, cancel, retry and fork, with the token in its address')
      .option('--file <file>', 'process file, when it is no longer where it was')
      .option('--mask <pattern>', 'a regular expression: what matches is not shown')
      .option('--with <run>', 'another run: where the two part is shown')
      .option('--machine <name>', 'of a machine file: which machine, by its export or id')
      .option('--input <json>', 'of a machine file: input of the machine: JSON, or @file')
      .option(
        '--stately [port]',
        "speak Stately's inspector protocol (8080): tell a run's machines, or wait for an XState app",
      ),
    async ([target], options) =>
      (await import('./inspect-command.ts')).inspectCommand(target, options as InspectCommandOptions),
  );

  finish(
    command(
      'verify <run>',
      'prove a journal: checksums, sequence, and that a replay gives what was recorded',
      'troupe verify 7k2fd',
    ).option('--file <file>', 'process file, if it is not where it was'),
    async ([run = ''], options) => (await import('./verify-command.ts')).verifyCommand(run, options),
  );
  finish(
    command(
      'harnesses',
      'list who can perform work here: configured harnesses and installed agents',
      'troupe harnesses',
    ),
    async (_, options) => (await import('./harnesses-command.ts')).harnessesCommand(options),
  );
  finish(
    command('doctor', 'say what is there, what is missing, and how to install it', 'troupe doctor'),
    async (_, options) => (await import('./doctor-command.ts')).doctorCommand(options),
  );
  finish(
    command('worktrees [run]', "say where members' worktrees are, and what is in them", 'troupe worktrees 7k2fd'),
    async ([run], options) => (await import('./worktrees-command.ts')).worktreesCommand(run, options),
  );
  finish(
    command(
      'fork <run>',
      "make a new run of a run's first entries; what had settled is not done again",
      'troupe fork 7k2fd --at 42 --as second-try',
    )
      .requiredOption('--at <position>', 'how many entries, as `troupe log` numbers them')
      .option('--as <id>', 'id of the new run; default <run>-fork-1, -2 …'),
    async ([run = ''], options) => (await import('./fork-command.ts')).forkCommand(run, { at: '', ...options }),
  );
  finish(
    command(
      'retry <run> <member>',
      'try a failed member again, in a new run that is the same up to its failure',
      'troupe retry 7k2fd src/a.ts --go',
    )
      .option('--group <name>', 'its group, if members of this name failed in several')
      .option('--as <id>', 'id of the new run; default <run>-retry-1, -2 …')
      .option('--go', 'drive the new run at once')
      .option('--file <file>', 'process file for --go, if it is not where it was')
      .option('--no-ask', noAskHelp),
    async ([run = '', member = ''], options) => (await import('./retry-command.ts')).retryCommand(run, member, options),
  );
  finish(
    command('rm [runs...]', 'remove runs for good', 'troupe rm --older-than 30d --status completed --dry-run')
      .option('--older-than <age>', 'only runs that ended so long ago: 12h, 30d, 2w')
      .option('--status <status>', 'only runs that are: active, cancelled, completed, damaged or failed')
      .option('--dry-run', 'only print what would be removed'),
    async (runs, options) => (await import('./remove-command.ts')).removeCommand(runs, options),
  );
  finish(
    command('archive <run>', 'write a run into one .tar.gz file', 'troupe archive 7k2fd --out review.tar.gz --remove')
      .option('--out <file>', 'a new file; default <run>.tar.gz')
      .option('--remove', 'remove the run when the file is written and has been read again'),
    async ([run = ''], options) => (await import('./archive-command.ts')).archiveCommand(run, options),
  );
  finish(
    command('restore <file>', 'make a run of an archive', 'troupe restore review.tar.gz'),
    async ([file = ''], options) => (await import('./archive-command.ts')).restoreCommand(file, options),
  );
  const babysit = command(
    'babysit <runDir>',
    'drive a run of babysitter: its groups, agents and commands, all at once',
    'troupe babysit .a5c/runs/01J9ZQ',
  );
  babysit.option('--sdk <path>', "folder of babysitter's SDK; default the one that the process file finds");
  babysit.option(
    '--no-input',
    'do not ask at the terminal: breakpoints wait for troupe approve; so with --json, and in CI',
  );
  babysit.option('--json', 'print JSON, for programs');
  babysit.action(async (runDir: string) =>
    done(await (await import('./babysit-command.ts')).babysitCommand(runDir, babysit.opts())),
  );
  const runEffect = command(
    'run-effect',
    'perform one group of a run of babysitter, and record its result there',
    'troupe run-effect --run-dir .a5c/runs/01J9ZQ --effect 01J9ZR',
  );
  runEffect.requiredOption('--run-dir <dir>', 'the run directory');
  runEffect.requiredOption('--effect <id>', 'the effect');
  runEffect.option('--print', 'print the result and leave it to the caller to record it');
  runEffect.option('--sdk <path>', "folder of babysitter's SDK; default the one that the process file finds");
  runEffect.action(async () =>
    done(await (await import('./run-effect-command.ts')).runEffectCommand(runEffect.opts())),
  );
  const mcp = command(
    'mcp',
    'serve runs and groups to an agent, as MCP tools over standard input and output',
    'troupe mcp',
  );
  mcp.addHelpText('after', mcpHelp).option('--data <dir>', dataHelp);
  mcp.action(async () => done(await (await import('./mcp-command.ts')).mcpCommand(mcp.opts())));
  return troupe;
}
