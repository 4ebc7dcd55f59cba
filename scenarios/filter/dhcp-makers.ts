import type { Random } from '../../emulator/base/index.js';
import { DhcpOption, DhcpType, encodeOption, encodeRequest } from '../codecs/dhcp.js';
import { concat, u32 } from '../codecs/dns.js';
import { between, blindMakers, pick, randomBytes, type Makers } from './form.js';

const OPTIONS_AT = 240;
const OPTION_CLASS = 60;
const OPTION_CLIENT = 61;
const LONGEST_NAME = 63;

interface DhcpOptionParts {
  code: number;
  data: Uint8Array;
}

/** A DHCP message as its fixed part and its options up to END. */
interface DhcpParts {
  fixed: Uint8Array;
  options: DhcpOptionParts[];
}

function takeApart(bytes: Uint8Array): DhcpParts | null {
  if (bytes.length < OPTIONS_AT) return null;
  const options: DhcpOptionParts[] = [];
  for (let at = OPTIONS_AT; at + 1 < bytes.length && bytes[at] !== DhcpOption.end;) {
    if (bytes[at] === DhcpOption.pad) {
      at++;
      continue;
    }
    options.push({ code: bytes[at], data: bytes.slice(at + 2, at + 2 + bytes[at + 1]) });
    at += 2 + bytes[at + 1];
  }
  return { fixed: bytes.slice(0, OPTIONS_AT), options };
}

const putTogether = ({ fixed, options }: DhcpParts, end = true): Uint8Array =>
  concat(fixed, ...options.map(({ code, data }) => encodeOption(code, data)), end ? Uint8Array.of(DhcpOption.end) : new Uint8Array(0));

const mac = (random: Random): Uint8Array => concat(Uint8Array.of(0x02), randomBytes(random, 5));
const text = (random: Random, length: number): Uint8Array => Uint8Array.from({ length }, () => 0x61 + random.below(26));
const type = (value: number): DhcpOptionParts => ({ code: DhcpOption.messageType, data: Uint8Array.of(value) });
const hostName = (random: Random, length: number): DhcpOptionParts => ({ code: DhcpOption.hostName, data: text(random, length) });

/** Options clients send beside their name: parameter list, vendor class, client identifier, requested address. */
function usualOptions(random: Random): DhcpOptionParts[] {
  const all: DhcpOptionParts[] = [
    { code: DhcpOption.parameters, data: randomBytes(random, between(random, 1, 16)) },
    { code: OPTION_CLASS, data: text(random, between(random, 4, 40)) },
    { code: OPTION_CLIENT, data: concat(Uint8Array.of(1), mac(random)) },
    { code: DhcpOption.requestedAddress, data: u32(0xc0a80164 + random.below(50)) },
  ];
  return all.filter(() => random.below(2) === 0);
}

function fresh(random: Random, value: number, options: readonly DhcpOptionParts[]): Uint8Array {
  return encodeRequest(random.next(), mac(random), [type(value), ...options].map(({ code, data }) => encodeOption(code, data)));
}

function shuffle<T>(random: Random, items: readonly T[]): T[] {
  const list = [...items];
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

/** What an attacker changes who knows the format; the longest option is taken for the one that does the harm. */
export function dhcpMutants(message: Uint8Array): Makers {
  const whole = takeApart(message);
  if (!whole || whole.options.length === 0) return blindMakers(message);
  const longest = whole.options.reduce((a, b) => (b.data.length > a.data.length ? b : a));
  const others = whole.options.filter((one) => one !== longest);
  const make = (options: DhcpOptionParts[], fixed = whole.fixed): Uint8Array => putTogether({ fixed, options });
  const changed = (random: Random, at: number, length: number): Uint8Array => {
    const fixed = whole.fixed.slice();
    random.fill(fixed.subarray(at, at + length));
    return fixed;
  };
  return {
    ...blindMakers(message),
    'option length': (random) => make([...others, { ...longest, data: randomBytes(random, between(random, LONGEST_NAME + 1, 255)) }]),
    'option bytes': (random) => make([...others, { ...longest, data: randomBytes(random, longest.data.length) }]),
    'option as letters': (random) => make([...others, { ...longest, data: text(random, between(random, longest.data.length >> 1, 255)) }]),
    'message type': (random) => make([type(between(random, 1, 8)), ...whole.options.filter(({ code }) => code !== DhcpOption.messageType)]),
    'options added': (random) => make([...whole.options, ...usualOptions(random), { code: OPTION_CLASS, data: text(random, 8) }]),
    'order': (random) => make(shuffle(random, [...whole.options, ...usualOptions(random)])),
    'flags and secs': (random) => make(whole.options, changed(random, 8, 4)),
    'ciaddr': (random) => make(whole.options, changed(random, 12, 4)),
    'twice': (random) => make([...others, hostName(random, between(random, 1, LONGEST_NAME)), longest]),
    'no end': (random) => putTogether({ fixed: changed(random, 4, 4), options: whole.options }, false),
  };
}

/** Messages near the attack that a correct server answers, refuses or ignores. */
export function dhcpNear(message: Uint8Array): Makers {
  const whole = takeApart(message);
  const longest = whole?.options.reduce((a, b) => (b.data.length > a.data.length ? b : a), { code: 0, data: new Uint8Array(0) });
  const size = longest?.data.length ?? 0;
  const types = [DhcpType.discover, DhcpType.request, DhcpType.release, DhcpType.decline, 8];
  return {
    'discover': (random) => fresh(random, DhcpType.discover, usualOptions(random)),
    'request': (random) => fresh(random, DhcpType.request, [{ code: DhcpOption.requestedAddress, data: u32(0xc0a80164 + random.below(50)) }, { code: DhcpOption.server, data: u32(0xc0a80101) }]),
    'other types': (random) => fresh(random, pick(random, types), usualOptions(random)),
    'legal host name': (random) => fresh(random, DhcpType.discover, [hostName(random, between(random, 1, LONGEST_NAME))]),
    'legal name, more options': (random) => fresh(random, pick(random, types), shuffle(random, [hostName(random, between(random, 1, LONGEST_NAME)), ...usualOptions(random)])),
    'longest legal name': (random) => fresh(random, DhcpType.discover, [hostName(random, between(random, LONGEST_NAME - 3, LONGEST_NAME))]),
    'just too long a name': (random) => fresh(random, DhcpType.discover, [hostName(random, between(random, LONGEST_NAME + 1, LONGEST_NAME + 12))]),
    'other option, same size': (random) => fresh(random, DhcpType.discover, [{ code: pick(random, [OPTION_CLASS, OPTION_CLIENT, DhcpOption.parameters, 43, 124]), data: randomBytes(random, size) }]),
    'long vendor class': (random) => fresh(random, DhcpType.discover, [hostName(random, between(random, 1, LONGEST_NAME)), { code: OPTION_CLASS, data: text(random, between(random, 64, 255)) }]),
    'cut short': (random) => message.slice(0, between(random, 1, Math.max(1, message.length - 2))),
    'not a request': (random) => spoiled(message, 0, between(random, 2, 255)),
    'no cookie': (random) => spoiled(message, 236 + random.below(4), random.below(60)),
    'other hardware': (random) => spoiled(message, pick(random, [1, 2]), between(random, 7, 255)),
  };
}

function spoiled(message: Uint8Array, at: number, value: number): Uint8Array {
  const bytes = message.slice();
  if (at < bytes.length) bytes[at] = value;
  return bytes;
}
