/** What `--mask` takes out, in whatever form it stands there. */
import { expect, test } from 'vitest';
import { maskOf } from '../../src/cli/mask.ts';
import { project } from './support.ts';

test('a match is masked also where it stands in JSON within a text, and in JSON within that', () => {
  const mask = maskOf(String.raw`D:\\data\\anna|say "it"|one\ntwo`);
  const said = String.raw`D:\data\anna`;
  const once = JSON.stringify({ path: `${said}\\x`, quote: 'say "it" now', lines: 'zero\none\ntwo', é: 'é' });
  const twice = JSON.stringify({ once });
  expect(mask(`in ${said}: ${once} and ${said}`)).toBe(
    String.raw`in █: {"path":"█\\x","quote":"█ now","lines":"zero\n█","é":"é"} and █`,
  );
  expect(JSON.parse(JSON.parse(mask(twice)).once as string)).toEqual({
    path: String.raw`█\x`,
    quote: '█ now',
    lines: 'zero\n█',
    é: 'é',
  });
  expect(mask(String.raw`"D:\u005cdata\u005Canna" is cut: "D:\\data\\anna\\`)).toBe(String.raw`"█" is cut: "█\\`);
});

test('what matches as it stands is masked once for each match, and the rest is left as it is', () => {
  const mask = maskOf(String.raw`patient-\d|\\\\|^now`);
  expect(mask('patient-1patient-2 patient-x')).toBe('██ patient-x');
  expect(mask(String.raw`a\\b \" \u00e9 now`)).toBe(String.raw`a█b \" \u00e9 now`);
  expect(mask({ 'patient-1': ['now', 1, null] })).toEqual({ '█': ['█', 1, null] });
});

test('the drawing of a statechart is masked too, as is the name of a run', async () => {
  const one = project({
    'acme.process.mjs': `
      import { defineProcess } from 'troupe';
      import { createMachine } from 'xstate';
      const machine = createMachine({
        id: 'acme-machine', initial: 'acme-1',
        states: { 'acme-1': { on: { 'acme.go': 'acme-2' }, always: 'acme-2' }, 'acme-2': { type: 'final' } },
      });
      export default defineProcess('acme', (ctx) => ctx.group('work', machine).output);`,
  });
  expect(await one.troupe('run', 'acme.process.mjs', '--run-id', 'acme-run')).toMatchObject({ code: 0 });
  const exported = async (as: string, ...more: readonly string[]) =>
    (await one.troupe('export', 'acme-run', '--as', as, ...more)).stdout;
  expect(await exported('svg')).toContain('>acme-1<');
  const svg = await exported('svg', '--mask', String.raw`acme(-\d)?`);
  expect(svg).not.toContain('acme');
  // Two states, although they are called alike now.
  expect(svg.match(/class="state (atomic|final)[^"]*"/g)).toHaveLength(2);
  expect(await exported('otlp')).toContain('run acme-run');
  expect(await exported('otlp', '--mask', 'acme')).not.toContain('acme');
});
