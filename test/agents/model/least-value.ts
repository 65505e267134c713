/** The least value that meets a JSON Schema, for side requests that ask for JSON: who speaks next, which model to take. */
import type { JsonValue } from '../../../src/json.ts';
import { listOf, objectOf, textOf } from './question.ts';

/** `user` where a choice has it, else the first; required properties only. Type names in either case (Gemini's are upper). */
export function leastValue(schema: JsonValue): JsonValue {
  const { type, enum: choices, properties, required, anyOf } = objectOf(schema);
  const options = listOf(choices);
  if (options.length > 0) return options.includes('user') ? 'user' : (options[0] ?? null);
  const [first] = listOf(anyOf);
  if (first !== undefined) return leastValue(first);
  switch (textOf(Array.isArray(type) ? (listOf(type)[0] ?? '') : type).toLowerCase()) {
    case 'object': {
      const wanted = new Set(listOf(required).map(textOf));
      return Object.fromEntries(
        Object.entries(objectOf(properties)).flatMap(([name, property]) =>
          wanted.has(name) || wanted.size === 0 ? [[name, leastValue(property)] as const] : [],
        ),
      );
    }
    case 'array':
      return [];
    case 'number':
    case 'integer':
      return 0;
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      return 'none';
  }
}
