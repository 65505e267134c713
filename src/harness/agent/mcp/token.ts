/** Tokens of members: 256 bits each, kept as keyed digests only, compared in a time that does not depend on what came. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** A token's digest under this process's key. */
export type TokenDigest = Buffer;

const key = randomBytes(32);

/** A new token: 43 characters of base64url. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** The digest of a token, or of whatever was presented as one. */
export function digestOf(token: string): TokenDigest {
  return createHmac('sha256', key).update(token).digest();
}

/** What no token has: whoever is unknown is compared with this, and takes as long as somebody who is wrong. */
export const nobodysDigest: TokenDigest = randomBytes(32);

/** Whether these are digests of the same token. */
export function isSameToken(one: TokenDigest, other: TokenDigest): boolean {
  return timingSafeEqual(one, other);
}

/** What stands after `Bearer ` in an Authorization header; empty when nothing does. */
export function bearerOf(header: string | undefined): string {
  return /^Bearer +([\w.~+/=-]+) *$/i.exec(header ?? '')?.[1] ?? '';
}
