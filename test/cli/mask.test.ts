/** What `--mask` takes out, in whatever form it stands there. */
import { expect, test } from 'vitest';
import { maskOf } from '../../src/cli/mask.ts';

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
