import type { Random } from '../../emulator/base/index.js';
import { concat, HEADER_BYTES } from '../codecs/dns.js';
import type { ProtocolName } from '../protocols/index.js';

export interface Formed {
  bytes: Uint8Array;
  /** The message leaves from this port instead of the attacker's own. */
  sourcePort?: number;
}

/**
 * What an attacker changes about a message so that it is not byte for byte the one seen before, while the flaw it
 * aims at stays. A form that makes no sense for a protocol leaves the message as it is.
 */
type Form = (bytes: Uint8Array, protocol: ProtocolName, random: Random) => Formed;

const isDhcp = (protocol: ProtocolName): boolean => protocol === 'dhcp' || protocol === 'dhcp-lease';

/** Another transaction: the id of a DNS query, the xid of a DHCP message. */
function id(bytes: Uint8Array, protocol: ProtocolName, random: Random): Formed {
  const [from, to] = isDhcp(protocol) ? [4, 8] : protocol === 'dns' ? [0, 2] : [0, 0];
  random.fill(bytes.subarray(from, Math.min(to, bytes.length)));
  return { bytes };
}

function letters(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => 0x61 + random.below(26));
}

/**
 * DNS: a random label in front of the name asked for, so that length and all later offsets change. A name that is a pointer to itself
 * goes on being one.
 */
function label(bytes: Uint8Array, protocol: ProtocolName, random: Random): Formed {
  if (protocol !== 'dns' || bytes.length <= HEADER_BYTES) return { bytes };
  const added = letters(random, 3 + random.below(12));
  const longer = concat(bytes.subarray(0, HEADER_BYTES), Uint8Array.of(added.length), added, bytes.subarray(HEADER_BYTES));
  const name = HEADER_BYTES + 1 + added.length;
  const loops = bytes[HEADER_BYTES] === 0xc0 && bytes[HEADER_BYTES + 1] === HEADER_BYTES;
  if (loops) longer[name + 1] = name;
  return { bytes: longer };
}

/** Flips the case of the letters of the first label, as "0x20" resolvers do. */
function letterCase(bytes: Uint8Array, protocol: ProtocolName, random: Random): Formed {
  if (protocol !== 'dns') return { bytes };
  const size = bytes[HEADER_BYTES] ?? 0;
  const end = Math.min(bytes.length, HEADER_BYTES + 1 + (size < 64 ? size : 0));
  for (let i = HEADER_BYTES + 1; i < end; i++) if (/[A-Za-z]/.test(String.fromCharCode(bytes[i])) && random.below(2) === 1) bytes[i] ^= 0x20;
  return { bytes };
}

/** DHCP: another client's hardware address. */
function mac(bytes: Uint8Array, protocol: ProtocolName, random: Random): Formed {
  if (isDhcp(protocol) && bytes.length >= 34) {
    random.fill(bytes.subarray(28, 34));
    bytes[28] = 0x02;
  }
  return { bytes };
}

const table = {
  exact: (bytes: Uint8Array) => ({ bytes }),
  id,
  label: (bytes: Uint8Array, protocol: ProtocolName, random: Random) => label(id(bytes, protocol, random).bytes, protocol, random),
  case: (bytes: Uint8Array, protocol: ProtocolName, random: Random) => letterCase(id(bytes, protocol, random).bytes, protocol, random),
  mac: (bytes: Uint8Array, protocol: ProtocolName, random: Random) => mac(id(bytes, protocol, random).bytes, protocol, random),
  port: (bytes: Uint8Array, protocol: ProtocolName, random: Random) => ({ ...id(bytes, protocol, random), sourcePort: 1024 + random.below(64512) }),
};

export type FormName = keyof typeof table;
export const forms: Record<FormName, Form> = table;
export const formNames = Object.keys(table) as [FormName, ...FormName[]];
