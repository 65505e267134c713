/** Harnesses under whose bounds nothing could begin are refused where they are made. */
import { expect, test } from 'vitest';
import { acp, cli, command, fn, scripted } from '../../src/harness/index.ts';

test('bounds that let nothing begin are refused', () => {
  for (const make of [
    (bounds: object) => fn(() => 1, bounds),
    (bounds: object) => command(bounds),
    (bounds: object) => cli('claude', bounds),
    (bounds: object) => acp('gemini', bounds),
  ]) {
    for (const concurrency of [0, -1, Number.NaN])
      expect(() => make({ concurrency })).toThrow(
        /^BAD_INPUT: .*: expected `concurrency` to be a number >= 1, got `(0|-1|NaN)`\.$/,
      );
    expect(() => make({ ratePerMinute: 0 })).toThrow('expected `ratePerMinute` to be a number > 0, got `0`.');
    expect(make({ concurrency: Number.POSITIVE_INFINITY, ratePerMinute: 0.5 })).toMatchObject({ ratePerMinute: 0.5 });
  }
  expect(() => scripted({}, { concurrency: 0 })).toThrow('BAD_INPUT: scripted: expected `concurrency`');
});
