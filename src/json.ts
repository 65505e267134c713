/** The codec: what may stand in a journal, and its one canonical form. Stub types for now. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };
