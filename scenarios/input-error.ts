/** A file the user gave cannot be used: one sentence that says which, why, and what to do. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
