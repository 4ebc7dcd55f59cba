/** A broken promise of our own code: never raised for anything a guest, a file or a packet did. */
export class Invariant extends Error {
  override readonly name = 'Invariant';
}

export function invariant(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Invariant(what);
}
