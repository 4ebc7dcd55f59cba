import { decodeMessage, DnsCode, DnsType, encodeQuery } from '../codecs/dns.js';
import type { Protocol } from './protocol.js';

const key = (id: number, name: string): string => `${id} ${name.toLowerCase()}`;

/** A query for an address; only an answer without error code to the same question counts. */
export const dns: Protocol = {
  sendsBy: 'udp',
  hearsBy: 'udp',
  serverPort: 53,
  clientPort: 0,
  broadcast: false,

  request({ sequence, names, random }) {
    const id = random.next() & 0xffff;
    const name = names.length > 0 ? names[sequence % names.length] : `h${random.next().toString(36)}.example`;
    return { key: key(id, name), bytes: encodeQuery(id, name, DnsType.A) };
  },

  answers(bytes) {
    const message = decodeMessage(bytes);
    if (!message?.response || message.code !== DnsCode.noError || message.questions.length !== 1) return null;
    return message.answers.length > 0 ? key(message.id, message.questions[0].name) : null;
  },
};
