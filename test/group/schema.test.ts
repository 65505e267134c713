/** Outputs checked by Standard Schemas. */
import { describe, expect, test } from 'vitest';
import type { JsonValue, OutputSchema } from 'troupe';
import { checkOutput } from '../../src/group/schema.ts';

const schema = (validate: OutputSchema['~standard']['validate']): OutputSchema => ({
  '~standard': { version: 1, vendor: 'test', validate },
});
const check = (validate: OutputSchema['~standard']['validate'], output: JsonValue = 1) =>
  checkOutput(schema(validate), output, 'output');

describe('a schema', () => {
  test('lets through what meets it', async () => expect(await check((value) => ({ value }))).toEqual({ output: 1 }));

  test('may take its time, and may make something else of it', async () => {
    expect(await check(async (value) => ({ value: { wrapped: value } }))).toEqual({ output: { wrapped: 1 } });
    expect(await check(() => ({ value: undefined }))).toEqual({ output: null });
  });

  test('says what is wrong and where', async () => {
    expect(
      await check(() => ({ issues: [{ message: 'too small', path: ['a', { key: 0 }] }, { message: 'odd' }] })),
    ).toEqual({
      problem: 'output does not meet its schema: a.0: too small; odd',
    });
    expect(await check(() => ({ issues: Array.from({ length: 7 }, () => ({ message: 'x' })) }))).toEqual({
      problem: 'output does not meet its schema: x; x; x; x; x (and 2 more)',
    });
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'output could not be checked: broken',
    ],
    ['rejects', () => Promise.reject(new Error('gone')), 'output could not be checked: gone'],
    ['gives what is not JSON', () => ({ value: new Map() }), 'output could not be checked: NOT_JSON'],
    ['gives nothing at all', () => undefined as never, 'output could not be checked'],
    [
      'throws what cannot be shown',
      () => {
        throw Object.create(null);
      },
      'output could not be checked',
    ],
  ])('that %s is a problem, not an accident', async (_what, validate, problem) => {
    expect(await check(validate)).toEqual({ problem: expect.stringContaining(problem) });
  });
});
