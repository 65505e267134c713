/** The process that a host of these tests runs: one member that the playing program performs. */
import { fanOut } from '../../../../machines/fan-out.ts';
import { defineProcess } from '../../../../src/index.ts';

export const hosted = defineProcess(
  'hosted',
  (ctx, input: { readonly prompt: string }) =>
    ctx.group('group', fanOut, { members: [{ id: 'a', harness: 'play', prompt: input.prompt }] }).output,
);
