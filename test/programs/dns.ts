import { decode, encode, type Answer, type RecordType } from 'dns-packet';

/** A query as dns-packet, a library we did not write, encodes it. */
export function encodeQuery(name: string, type: string): Uint8Array {
  return encode({ type: 'query', id: 0x1234, flags: 0x100, questions: [{ type: type as RecordType, name }] });
}

/** "NAME TYPE DATA; …" of a response's answers, or its response code when there are none. */
export function decodeDns(bytes: Uint8Array): string {
  const packet = decode(Buffer.from(bytes));
  const shown = (answer: Answer): string => `${answer.name} ${answer.type} ${'data' in answer ? (answer.data as string) : ''}`;
  return packet.answers?.map(shown).join('; ') || `rcode ${(packet as unknown as { rcode: string }).rcode}`;
}

/** The answer of a server that knows every name, and gives it this address for an hour. */
export function encodeAnswer(query: Uint8Array, address: string): Uint8Array {
  const { id, questions } = decode(Buffer.from(query));
  const answers = (questions ?? []).map(({ name }): Answer => ({ name, type: 'A', ttl: 3600, data: address }));
  return encode({ type: 'response', id, flags: 0x180, questions, answers });
}
