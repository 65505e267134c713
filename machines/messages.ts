/** Who a message is from. A coordinator hears messages as plain events, `{ type, from, body, id }`. */

/** An event that may be a message. */
interface Message {
  /** Address of the member that sent it; `outside`, or nothing at all, when it comes from outside the group. */
  readonly from?: string;
}

/** Does it come from outside the group, from somebody who may decide over it? What members say is never an order. */
export function isFromOutside({ from }: Message): boolean {
  return from === undefined || from === 'outside';
}

/** Does it come from the child `id`? Where the group is nested, addresses begin with those it is nested in. */
export function isFrom(id: string, { from }: Message): boolean {
  return from === id || from?.endsWith(`::${id}`) === true;
}
