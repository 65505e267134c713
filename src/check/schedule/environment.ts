/** The token that a failed test printed, when it is run again with it. */
export function tokenFromEnvironment(): string | undefined {
  return process.env['TROUPE_SCHEDULE'];
}
