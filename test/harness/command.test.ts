import { chmodSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { command, type Invocation } from '../../src/harness/index.ts';
import { attemptAt, errorOf, nodeAt, nothingIsLeft, outputOf, shAt, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());
afterEach(nothingIsLeft);

const harness = command();
const perform = (invocation: Invocation) => harness.perform(attemptAt(invocation));
const script = (name: string, text: string, mode = 0o755) => {
  writeFileSync(folder.at(name), text);
  chmodSync(folder.at(name), mode);
  return folder.at(name);
};

test('a command that succeeds leaves its exit code and its output', async () => {
  expect(await harness.perform(shAt('echo out; echo err >&2'))).toEqual({
    status: 'ok',
    output: { exitCode: 0, stdout: 'out\n', stderr: 'err\n', truncated: false },
  });
});

test('arguments reach the program as they are, no shell looks at them', async () => {
  const words = ['$HOME', '`date`', "it's", 'a b', '*', '', '"', '\\', 'ü', '\n'];
  const outcome = await perform({
    command: [process.execPath, '-p', 'JSON.stringify(process.argv.slice(1))', ...words],
  });
  expect(JSON.parse(String(outputOf(outcome)['stdout']))).toEqual(words);
});

test('stdin is the text given, or empty', async () => {
  const text = `${'ü€😀\n'.repeat(50_000)}end`;
  expect(outputOf(await perform({ command: ['wc', '-c'], stdin: text }))['stdout']).toMatch(
    `${Buffer.byteLength(text)}`,
  );
  expect(outputOf(await perform({ command: ['cat'] }))['stdout']).toBe('');
  expect(outputOf(await perform({ command: ['cat'], stdin: '' }))['stdout']).toBe('');
});

test('a command that does not read its stdin is not disturbed by that', async () => {
  const stdin = 'x'.repeat(4 * 2 ** 20);
  expect(outputOf(await perform({ command: ['true'], stdin }))['exitCode']).toBe(0);
  expect(outputOf(await harness.perform(shAt('exec <&-; echo fine', { stdin })))['stdout']).toBe('fine\n');
});

test('a command that closes its outputs early is waited for', async () => {
  const outcome = await harness.perform(
    nodeAt(
      `process.stdout.write('x'); require('fs').closeSync(1); require('fs').closeSync(2); setTimeout(() => process.exit(3), 100)`,
    ),
  );
  expect(errorOf(outcome).code).toBe('EXIT_3');
});

test('a variable may have any name', async () => {
  const env = JSON.parse('{"__proto__":"one","constructor":"two"}') as Record<string, string>;
  const attempt = attemptAt({ command: ['env'], env });
  const { stdout } = outputOf(await command({ inheritEnv: ['PATH'] }).perform(attempt));
  expect(String(stdout).split('\n')).toEqual(expect.arrayContaining(['__proto__=one', 'constructor=two']));
});

test('the environment is the host’s, the harness’s and the invocation’s, the last wins', async () => {
  process.env['TROUPE_TEST_INHERITED'] = 'host';
  const print = {
    command: [process.execPath, '-p', 'JSON.stringify(process.env)'],
    env: { B: 'invocation', C: 'ü=\n' },
  };
  const seen = async (options: Parameters<typeof command>[0]) => {
    const attempt = attemptAt({ ...print });
    const env = JSON.parse(String(outputOf(await command(options).perform(attempt))['stdout'])) as Record<
      string,
      string
    >;
    expect(env).toMatchObject({
      TROUPE_ATTEMPT: attempt.key,
      TROUPE_RUN: attempt.run,
      TROUPE_GROUP: attempt.group,
      TROUPE_MEMBER: attempt.member,
      B: 'invocation',
      C: 'ü=\n',
    });
    return env;
  };
  expect(await seen({ env: { A: 'harness', B: 'harness' } })).toMatchObject({
    TROUPE_TEST_INHERITED: 'host',
    A: 'harness',
  });
  expect(await seen({ inheritEnv: ['PATH', 'NOT_THERE'] })).not.toHaveProperty('TROUPE_TEST_INHERITED');
  expect(Object.keys(await seen({ inheritEnv: false })).filter((name) => !name.startsWith('TROUPE_'))).toEqual([
    'B',
    'C',
  ]);
  delete process.env['TROUPE_TEST_INHERITED'];
});

test('nobody can take an attempt’s mark away', async () => {
  const attempt = shAt('printf %s "$TROUPE_ATTEMPT"', { env: { TROUPE_ATTEMPT: 'forged' } });
  expect(outputOf(await harness.perform(attempt))['stdout']).toBe(attempt.key);
});

test('a command runs in its folder; a relative one begins at the harness’s', async () => {
  mkdirSync(folder.at('inner'), { recursive: true });
  const inner = realpathSync(folder.at('inner'));
  const at = async (cwd: string | undefined, options = {}) => {
    const attempt = shAt('pwd -P', cwd === undefined ? {} : { cwd });
    return String(outputOf(await command(options).perform(attempt))['stdout']).trim();
  };
  expect(await at(inner)).toBe(inner);
  expect(await at(undefined, { cwd: inner })).toBe(inner);
  expect(await at('inner', { cwd: dirname(inner) })).toBe(inner);
  expect(await at(undefined)).toBe(realpathSync(process.cwd()));
});

test('a program, folder or interpreter that is not there is refused, each by its name', async () => {
  const noInterpreter = script('no-interpreter', '#!/no/such/interpreter\n');
  const refused = async (invocation: Invocation) => {
    const { class: failureClass, code, message } = errorOf(await perform(invocation));
    expect(failureClass).toBe('refused');
    return [code, message];
  };
  expect(await refused({ command: ['no-such-program'] })).toEqual([
    'ENOENT',
    'the program `no-such-program` was not found on the PATH.',
  ]);
  expect(await refused({ command: ['./no/such'] })).toEqual(['ENOENT', 'the program `./no/such` does not exist.']);
  expect(await refused({ command: ['sh'], cwd: '/no/such/folder' })).toEqual([
    'CWD_MISSING',
    'the folder to run `sh` in does not exist or is not a folder: /no/such/folder.',
  ]);
  expect((await refused({ command: ['sh'], cwd: noInterpreter }))[0]).toBe('CWD_MISSING');
  expect(await refused({ command: [noInterpreter] })).toEqual([
    'ENOENT',
    `the interpreter that the first line of \`${noInterpreter}\` names was not found.`,
  ]);
  expect(await refused({ command: ['no-interpreter'], env: { PATH: folder.path } })).toEqual([
    'ENOENT',
    `the interpreter that the first line of \`${noInterpreter}\` names was not found.`,
  ]);
});

test('a program that may not be run is refused, with the reason', async () => {
  const plain = script('plain', 'text', 0o644);
  expect(errorOf(await perform({ command: [plain] }))).toEqual({
    class: 'refused',
    code: 'EACCES',
    message: `the program \`${plain}\` may not be run: it is not executable, or may not be by this user.`,
  });
  expect(errorOf(await perform({ command: [folder.path] })).message).toBe(
    `the program \`${folder.path}\` may not be run: it is a folder.`,
  );
});

test('arguments that are too large are refused', async () => {
  const outcome = await perform({ command: ['true', 'x'.repeat(10 * 2 ** 20)] });
  expect(errorOf(outcome)).toMatchObject({ class: 'refused', code: 'E2BIG' });
});

test('an invocation that makes no sense is refused before anything is started', async () => {
  const wrong = async (invocation: object) => {
    const { class: failureClass, code, message } = errorOf(await perform(invocation as Invocation));
    expect([failureClass, code]).toEqual(['refused', 'BAD_INPUT']);
    return message;
  };
  const sh = ['sh', '-c', 'exit 0'];
  expect(await wrong({})).toBe('Expected `command` to be [program, ...arguments], got undefined (undefined).');
  expect(await wrong({ command: [] })).toContain('got [] (array)');
  expect(await wrong({ command: 'ls -l' })).toContain('got "ls -l" (string)');
  expect(await wrong({ command: ['ls', 1] })).toBe('Expected `command[1]` to be a string without NUL, got 1 (number).');
  expect(await wrong({ command: ['a\0b'] })).toContain('`command[0]`');
  expect(await wrong({ command: [''] })).toContain('not to be empty');
  expect(await wrong({ command: sh, stdin: 7 })).toContain('`stdin`');
  expect(await wrong({ command: sh, cwd: '' })).toContain('`cwd`');
  expect(await wrong({ command: sh, env: { 'A=B': 'c' } })).toContain('"A=B"');
  expect(await wrong({ command: sh, env: { A: 'b\0' } })).toContain('`env.A`');
  expect(await wrong({ command: sh, env: { A: null } })).toContain('got null (null)');
  expect(await wrong({ command: sh, success: { exitCodes: [] } })).toContain('`success.exitCodes`');
  expect(await wrong({ command: sh, success: { exitCodes: [256] } })).toContain('from 0 to 255');
  expect(await wrong({ command: sh, success: { stdoutMatches: '(' } })).toMatch(
    /`success.stdoutMatches`.*"\(".*Unterminated group/,
  );
  expect(await wrong({ command: sh, success: { stdoutMatches: 1 } })).toContain('`success.stdoutMatches`');
});

test('an exit code that is not wanted is a failure that shows the last lines', async () => {
  expect(errorOf(await harness.perform(shAt('echo out; printf "\\033[31mred\\033[0m\\nlast\\n" >&2; exit 2')))).toEqual(
    {
      class: 'failed',
      code: 'EXIT_2',
      message:
        '`sh -c "echo out; printf \\"\\\\033[31mred\\\\033[0m\\\\nlast\\\\n\\" >&2; exit 2"` exited with code 2:\nred\nlast',
    },
  );
  expect(errorOf(await perform({ command: ['false'] })).message).toBe('`false` exited with code 1.');
  expect(errorOf(await harness.perform(shAt('seq 1 100; exit 1'))).message).toMatch(
    /:\n93\n94\n95\n96\n97\n98\n99\n100$/,
  );
});

test('success is what the invocation declares', async () => {
  const judged = async (line: string, success: NonNullable<Invocation['success']>) =>
    harness.perform(shAt(line, { success }));
  expect(outputOf(await judged('exit 3', { exitCodes: [0, 3] }))['exitCode']).toBe(3);
  expect(errorOf(await judged('exit 0', { exitCodes: [3] })).message).toContain('exited with code 0 (wanted 3)');
  expect(outputOf(await judged('echo a; echo ok; echo b', { stdoutMatches: '^ok$' }))['exitCode']).toBe(0);
  expect(errorOf(await judged('echo a; echo not ok', { stdoutMatches: '^ok$' }))).toMatchObject({
    class: 'failed',
    code: 'STDOUT_MISMATCH',
    message:
      '`sh -c "echo a; echo not ok"` exited with code 0, but its standard output does not match /^ok$/; it ends in:\na\nnot ok',
  });
  expect(errorOf(await judged('echo ok >&2', { stdoutMatches: 'ok' })).message).toContain('it is empty');
  expect(errorOf(await judged('echo ok; exit 1', { stdoutMatches: 'ok' })).code).toBe('EXIT_1');
});

test('a command that a signal kills has crashed', async () => {
  expect(errorOf(await harness.perform(shAt('echo working; kill -SEGV $$')))).toEqual({
    class: 'crashed',
    code: 'SIGSEGV',
    message: '`sh -c "echo working; kill -SEGV $$"` was killed by SIGSEGV:\nworking',
  });
  expect(errorOf(await harness.perform(shAt('kill -9 $$', { success: { exitCodes: [137] } }))).class).toBe('crashed');
});

test('fifty commands at once each get their own output', async () => {
  const many = command({ concurrency: 50 });
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, index) => many.perform(shAt(`echo ${index}; echo e${index} >&2`))),
  );
  expect(outcomes.map((outcome) => outputOf(outcome)['stdout'])).toEqual(outcomes.map((_, index) => `${index}\n`));
});

test('what a command writes is in the attempt’s file, and the file is appended to', async () => {
  const outputFile = script('out.log', 'before\n', 0o644);
  await harness.perform(shAt('echo out; echo err >&2; printf tail', {}, { outputFile }));
  const lines = readFileSync(outputFile, 'utf8').split('\n');
  expect(lines[0]).toBe('before');
  expect(lines.slice(1).join('').replace('err', '')).toBe('outtail');
});

test('a file that cannot be written does not undo the command, and is not passed over in silence', async () => {
  const attempt = shAt('echo out', {}, { outputFile: '/no/such/folder/file' });
  expect(outputOf(await harness.perform(attempt))['stdout']).toBe('out\n');
  expect(attempt.lines).toEqual(['out', expect.stringContaining('output not kept: ENOENT')]);
});

test('a bug in whoever hears the progress does not hang the command, and is told', async () => {
  const attempt = shAt(
    'yes | head -c 1000000',
    {},
    {
      progress: () => {
        throw new Error('bug');
      },
    },
  );
  await expect(harness.perform(attempt)).rejects.toThrow('bug');
});
