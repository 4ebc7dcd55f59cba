import { concat, decodeMessage, DnsCode, DnsType, encodeOpt, encodeQuery, u16 } from '../codecs/dns.js';
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

const LENGTH_BYTES = 2;

/** The same over TCP: a length of two bytes before each message (RFC 7766 section 8), one connection a query. */
export const dnsTcp: Protocol = {
  ...dns,
  sendsBy: 'tcp',
  hearsBy: 'tcp',
  stream: { length: (received) => (received.length < LENGTH_BYTES ? null : LENGTH_BYTES + ((received[0] << 8) | received[1])) },

  request(input) {
    const { key: expected, bytes } = dns.request(input);
    return { key: expected, bytes: concat(u16(bytes.length), bytes) };
  },

  answers: (bytes) => dns.answers(bytes.subarray(LENGTH_BYTES)),
};

const OPTION_SUBNET = 8;
const ADDITIONAL_COUNT_AT = 10;

/** The same with a client-subnet option (RFC 7871: family 1, 24 bits, 192.168.1.0), as resolvers of content networks send it. */
export const dnsSubnet: Protocol = {
  ...dns,

  request(input) {
    const { key: expected, bytes } = dns.request(input);
    bytes.set(u16(1), ADDITIONAL_COUNT_AT);
    const subnet = concat(u16(OPTION_SUBNET), u16(7), Uint8Array.of(0, 1, 24, 0, 192, 168, 1));
    return { key: expected, bytes: concat(bytes, encodeOpt(1232, subnet)) };
  },
};

const OPTION_PADDING = 12;
const PADDING_BYTES = 2000;

/** The same with padding (RFC 7830) to more than an Ethernet frame holds: it travels in two fragments. */
export const dnsPadded: Protocol = {
  ...dns,

  request(input) {
    const { key: expected, bytes } = dns.request(input);
    bytes.set(u16(1), ADDITIONAL_COUNT_AT);
    return { key: expected, bytes: concat(bytes, encodeOpt(1232, concat(u16(OPTION_PADDING), u16(PADDING_BYTES), new Uint8Array(PADDING_BYTES)))) };
  },
};
