/** The answer that makes the paper's first sample corrupt itself. */
export const yes = (): Uint8Array => Uint8Array.of(0x79);

/** A request to quotad from an account it does not have. */
export const wildAccount = (): Uint8Array => new TextEncoder().encode('1 move 100000000 0 1');

/** "+<number>" counts a record in the read loop's table, whose 64 entries it does not check the number against. */
export const wildRecord = (): Uint8Array => new TextEncoder().encode('+100000000');
