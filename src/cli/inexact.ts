/** Whole numbers in JSON that reading it would change. */

/** The first whole number that would be changed by being read, as it is written; an id of 64 bits is one. */
export function inexactIn(json: string): string | undefined {
  if (!/\d{16}/.test(json)) return undefined;
  const numbers = json.match(/"(?:[^"\\]|\\.)*"|-?\d+(?![.\deE])|-?[\d.]+[eE]?[+-]?\d*/g) ?? [];
  return numbers.find((token) => /^-?\d+$/.test(token) && BigInt(Number(token)) !== BigInt(token));
}

/** Why it is refused. */
export const inexactText = (number: string) =>
  `${number} is more than a number can hold; write it as a text: "${number}"`;
