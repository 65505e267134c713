/** The coordinator library. Each machine is one file of plain XState over what any author can import. */
export { fanOut, type FanOutInput, type FanOutMember, type FanOutOutput } from './fan-out.ts';
