/** pipe: 128 + SIGPIPE, as a shell reports it. */
export const EXIT = { ok: 0, failed: 1, usage: 2, internal: 70, pipe: 141 } as const;

/** What the user did that cannot work; the message names the remedy. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
