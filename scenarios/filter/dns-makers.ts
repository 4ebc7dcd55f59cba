import type { Random } from '../../emulator/base/index.js';
import { concat, DnsType, encodeName, u16 } from '../codecs/dns.js';
import { NAME_AT, POINTER, putTogether, record, takeApart, type DnsParts, type OptionParts } from './dns-message.js';
import { between, blindMakers, pick, randomBytes, type Makers } from './form.js';

const RECURSION_DESIRED = 0x0100;
/** QR and opcode: with any of these set it is no standard query. */
const NOT_A_QUERY = 0xf800;
const QUERY_TYPES = [1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 43, 48, 64, 65, 255, 257];
const OPTION = { nsid: 3, subnet: 8, expire: 9, cookie: 10, keepalive: 11, padding: 12, error: 15 } as const;
/** Names the router answers by itself (its /etc/hosts), and one that is everywhere. */
const KNOWN_NAMES = ['router.lan', 'printer.lan', 'www.lan', 'localhost', 'www.example.com'];

const letters = (random: Random, length: number): string => Array.from({ length }, () => String.fromCharCode(0x61 + random.below(26))).join('');

/** A host name of one to five labels. */
const randomName = (random: Random): string => Array.from({ length: between(random, 1, 5) }, () => letters(random, between(random, 1, 14))).join('.');

const labels = (random: Random, count: number): Uint8Array => encodeName(Array.from({ length: count }, () => letters(random, between(random, 1, 12))).join('.')).slice(0, -1);

const pointer = (target: number): Uint8Array => u16((POINTER << 8) | target);

/** An option as its RFC has it (5001, 7314, 7828, 7830, 7871, 7873, 8914). */
function legalOption(random: Random, code: number): OptionParts {
  const of = (length: number): OptionParts => ({ code, data: randomBytes(random, length) });
  switch (code) {
    case OPTION.subnet: {
      const bits = pick(random, [0, 8, 16, 24, 32]);
      return { code, data: concat(Uint8Array.of(0, 1, bits, 0), randomBytes(random, bits / 8)) };
    }
    case OPTION.cookie: return of(random.below(2) === 0 ? 8 : between(random, 16, 40));
    case OPTION.keepalive: return of(pick(random, [0, 2]));
    case OPTION.expire: return of(pick(random, [0, 4]));
    case OPTION.nsid: return of(0);
    default: return of(between(random, 2, 32));
  }
}

const otherCode = (random: Random, not: number): number => pick(random, Object.values(OPTION).filter((code) => code !== not && code !== OPTION.cookie && code !== OPTION.subnet));

function query(random: Random, name = randomName(random)): DnsParts {
  return {
    id: random.below(65536), flags: RECURSION_DESIRED, name: encodeName(name), type: pick(random, QUERY_TYPES), class: 1,
    before: [], opt: null, after: [], tail: new Uint8Array(0),
  };
}

const withOpt = (parts: DnsParts, options: OptionParts[]): DnsParts => ({ ...parts, opt: { udpSize: 1232, ttl: 0, options } });

/** What an attacker changes who knows the format and wants the flaw to stay. Whether it did is for the oracle to say. */
export function dnsMutants(message: Uint8Array): Makers {
  const whole = takeApart(message);
  if (!whole) return blindMakers(message);
  const loops = whole.name.at(-2) !== undefined && (whole.name.at(-2) ?? 0) >= POINTER;
  return { ...blindMakers(message), ...headerMutants(whole, loops), ...(whole.opt ? optMutants(whole) : {}), ...(loops ? loopMutants(whole) : {}) };
}

function headerMutants(parts: DnsParts, loops: boolean): Makers {
  return {
    'flags': (random) => putTogether({ ...parts, flags: random.below(65536) & ~NOT_A_QUERY }),
    'type': (random) => putTogether({ ...parts, type: random.below(4) === 0 ? random.below(65536) : pick(random, QUERY_TYPES) }),
    'other name': (random) => (loops ? null : putTogether({ ...parts, id: random.below(65536), name: encodeName(randomName(random)) })),
    'record added': (random) => putTogether({ ...parts, after: [record(encodeName(randomName(random)), DnsType.A, randomBytes(random, 4))] }),
    'OPT added': (random) => (parts.opt ? null : putTogether(withOpt(parts, random.below(2) === 0 ? [] : [legalOption(random, otherCode(random, 0))]))),
  };
}

function optMutants(parts: DnsParts): Makers {
  const opt = parts.opt as NonNullable<DnsParts['opt']>;
  const make = (changed: Partial<typeof opt>, more: Partial<DnsParts> = {}): Uint8Array => putTogether({ ...parts, ...more, opt: { ...opt, ...changed } });
  const [first, ...others] = opt.options;
  const resized = (random: Random, size: number): OptionParts[] => [{ ...first, data: randomBytes(random, size) }, ...others];
  return {
    'UDP size': (random) => make({ udpSize: random.below(65536) }),
    'EDNS flags': (random) => make({ ttl: random.next() }),
    'option data': (random) => (first ? make({ options: resized(random, first.data.length) }) : null),
    'option length': (random) => (first ? make({ options: resized(random, random.below(2 * first.data.length + 8)) }) : null),
    'option before': (random) => make({ options: [legalOption(random, otherCode(random, first?.code ?? 0)), ...opt.options] }),
    'options after': (random) => make({ options: [...opt.options, legalOption(random, otherCode(random, first?.code ?? 0)), legalOption(random, OPTION.padding)] }),
    'record before OPT': (random) => make({}, { before: [record(encodeName(letters(random, between(random, 1, 20))), DnsType.A, randomBytes(random, 4))] }),
    'name and option': (random) => (first ? make({ options: resized(random, random.below(first.data.length + 3)) }, { id: random.below(65536), name: encodeName(randomName(random)) }) : null),
  };
}

/** Pointers that lead in a circle, in other shapes (RFC 9267 section 2). */
function loopMutants(parts: DnsParts): Makers {
  const name = (random: Random, count: number): Uint8Array => {
    const front = labels(random, count);
    return concat(front, pointer(NAME_AT + front.length));
  };
  return {
    'behind labels': (random) => putTogether({ ...parts, id: random.below(65536), name: name(random, between(random, 1, 6)) }),
    'two hops': (random) => {
      const garbage = randomBytes(random, random.below(16));
      const back = NAME_AT + 2 + 4 + garbage.length;
      return putTogether({ ...parts, id: random.below(65536), name: pointer(back), tail: concat(garbage, pointer(NAME_AT)) });
    },
    'in a record': (random) => {
      const asked = encodeName(randomName(random));
      const at = NAME_AT + asked.length + 4;
      return putTogether({ ...parts, id: random.below(65536), name: asked, after: [record(pointer(at), DnsType.A, randomBytes(random, 4))] });
    },
  };
}

/** Messages near the attack that a correct server answers, refuses or ignores: the filter must leave them alone. */
export function dnsNear(message: Uint8Array): Makers {
  const attack = takeApart(message);
  const code = attack?.opt?.options[0]?.code ?? OPTION.padding;
  const size = attack?.opt?.options[0]?.data.length ?? 8;
  return { ...validNear(message, code, size), ...(attack ? malformedNear(message, attack) : {}) };
}

function validNear(message: Uint8Array, code: number, size: number): Makers {
  return {
    'valid query': (random) => putTogether(query(random)),
    'known name': (random) => putTogether(query(random, pick(random, KNOWN_NAMES))),
    'EDNS, no option': (random) => putTogether(withOpt(query(random), [])),
    'same option, legal': (random) => putTogether(withOpt(query(random), [legalOption(random, code)])),
    'attack name, legal option': (random) => {
      const parts = takeApart(message);
      const name = parts && (parts.name.at(-1) === 0) ? parts.name : encodeName(randomName(random));
      return putTogether(withOpt({ ...query(random), name, type: DnsType.A }, [legalOption(random, code)]));
    },
    'other option, same size': (random) => putTogether(withOpt(query(random), [{ code: otherCode(random, code), data: randomBytes(random, size) }])),
    'several options': (random) => putTogether(withOpt(query(random), [OPTION.nsid, OPTION.padding, OPTION.cookie].map((one) => legalOption(random, one)))),
    'same length': (random) => sameLength(random, message.length),
    'compressed name': (random) => putTogether({ ...query(random), name: compressed(random) }),
  };
}

/** A valid query of `length` bytes: the name is made as long as it takes; null where none can be. */
function sameLength(random: Random, length: number): Uint8Array | null {
  let left = length - NAME_AT - 4 - 1;
  const sizes: number[] = [];
  while (left > 0) {
    const label = Math.min(left - 1, between(random, 4, 20));
    if (label < 1) return null;
    // No single byte may be left over: a label takes at least two.
    sizes.push(left - 1 - label === 1 ? label - 1 : label);
    left -= 1 + (sizes.at(-1) as number);
  }
  const name = sizes.map((label) => letters(random, label)).join('.');
  const parts = query(random, name);
  return sizes.some((label) => label < 1) ? null : putTogether({ ...parts, type: DnsType.A });
}

/** Pointers that end: at a zero byte of the header, outside the message, or in a name that grows until it is too long. */
function compressed(random: Random): Uint8Array {
  const front = labels(random, random.below(4));
  const target = pick(random, [6, 8, 0x3fff, 400, front.length > 0 ? NAME_AT : 6]);
  return concat(front, pointer(target));
}

function malformedNear(message: Uint8Array, attack: DnsParts): Makers {
  return {
    'cut short': (random) => message.slice(0, between(random, 1, message.length - 1)),
    'a response': (random) => putTogether({ ...attack, id: random.below(65536), flags: 0x8000 | random.below(0x8000) }),
    'other opcode': (random) => putTogether({ ...attack, id: random.below(65536), flags: (between(random, 1, 15) << 11) | random.below(0x800) }),
    'question count': (random) => putTogether({ ...attack, id: random.below(65536) }, [pick(random, [0, 2, 3, 65535]), 0, 0, attack.opt ? 1 : 0]),
    'records not counted': (random) => putTogether({ ...query(random), opt: attack.opt }, [1, 0, 0, 0]),
    'option longer than OPT': (random) => {
      const bytes = putTogether(withOpt(query(random), [legalOption(random, OPTION.padding)]));
      const parts = takeApart(bytes);
      const data = parts?.opt?.options[0].data.length ?? 0;
      bytes.set(u16(data + between(random, 1, 1000)), bytes.length - data - 2);
      return bytes;
    },
  };
}
