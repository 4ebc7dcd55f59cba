/**
 * AFLNet's replay files (replayable-crashes/, replayable-queue/): the messages of one session, each behind its length in
 * four bytes, little-endian. They hold neither addresses nor times.
 */
export interface AflnetFile {
  messages: Uint8Array[];
  /** What is wrong, at which offset; null for a whole file. */
  error: string | null;
}

const LENGTH_BYTES = 4;
/** A UDP datagram over IPv4 carries no more. */
const MAX_MESSAGE = 65_507;

export function readAflnet(bytes: Uint8Array): AflnetFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + LENGTH_BYTES > bytes.length) return { messages, error: `the file ends at offset ${bytes.length}, inside the length of message ${messages.length + 1}` };
    const length = view.getUint32(at, true);
    const wrong = (what: string): AflnetFile => ({ messages, error: `offset ${at}: message ${messages.length + 1} is ${length} bytes long, ${what}` });
    if (length > MAX_MESSAGE) return wrong(`a UDP datagram holds at most ${MAX_MESSAGE}`);
    if (at + LENGTH_BYTES + length > bytes.length) return wrong(`but only ${bytes.length - at - LENGTH_BYTES} follow`);
    messages.push(bytes.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
    at += LENGTH_BYTES + length;
  }
  return { messages, error: messages.length === 0 ? 'the file is empty' : null };
}

/** The format has no magic number: a whole walk from length to length that ends at the end of the file is its only mark. */
export const looksLikeAflnet = (bytes: Uint8Array): boolean => readAflnet(bytes).error === null;

export function writeAflnet(messages: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(messages.flatMap((message) => {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(message.length);
    return [length, message];
  }));
}
