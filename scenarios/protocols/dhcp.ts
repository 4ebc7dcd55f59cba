import { u32 } from '../codecs/dns.js';
import { decodeReply, DhcpType, encodeDiscover, encodeReboot, encodeSelect } from '../codecs/dhcp.js';
import type { Protocol } from './protocol.js';

const offerKey = (xid: number): string => `offer ${xid}`;
const ackKey = (xid: number): string => `ack ${xid}`;

/** DISCOVER, answered by an OFFER of an address. */
export const dhcp: Protocol = {
  sendsBy: 'udp',
  hearsBy: 'udp',
  serverPort: 67,
  clientPort: 68,
  broadcast: true,

  request({ mac, random }) {
    const xid = random.next();
    return { key: offerKey(xid), bytes: encodeDiscover(xid, mac) };
  },

  answers(bytes) {
    const reply = decodeReply(bytes);
    return reply?.type === DhcpType.offer && reply.address !== 0 ? offerKey(reply.xid) : null;
  },
};

/** DISCOVER of a client that was never seen before; content with an OFFER, it takes no lease. */
export const dhcpNewcomer: Protocol = {
  ...dhcp,

  request({ mac, random }) {
    const xid = random.next();
    const own = mac.slice();
    own[0] ^= 0x08;
    own.set(u32(random.next()), 2);
    return { key: offerKey(xid), bytes: encodeDiscover(xid, own) };
  },
};

/** The whole exchange: DISCOVER, OFFER, REQUEST, ACK. Each request comes from a client of its own, `sequence` modulo 16. */
export const dhcpLease: Protocol = {
  ...dhcp,

  request({ sequence, mac, random }) {
    const xid = random.next();
    return { key: offerKey(xid), bytes: encodeDiscover(xid, clientMac(mac, sequence)) };
  },

  answers(bytes) {
    const reply = decodeReply(bytes);
    if (!reply || reply.address === 0) return null;
    if (reply.type === DhcpType.offer) return offerKey(reply.xid);
    return reply.type === DhcpType.ack ? ackKey(reply.xid) : null;
  },

  follow(bytes, { sequence, mac }) {
    const reply = decodeReply(bytes);
    if (reply?.type !== DhcpType.offer) return null;
    return { key: ackKey(reply.xid), bytes: encodeSelect(reply.xid, clientMac(mac, sequence), reply.address, reply.server) };
  },
};

const KEPT_CLIENTS = 8;
const FIRST_ADDRESS = 0xc0a80164;

/**
 * Eight clients, each of which wants to keep an address of its own, from the pool's first on. It comes back and asks whether the address is still
 * its own (INIT-REBOOT); refused, it starts anew and asks for the same one. Only an ACK of that address is a good answer: another one breaks what
 * the client has open.
 */
export const dhcpReboot: Protocol = {
  ...dhcp,

  request({ sequence, mac, random }) {
    const xid = random.next();
    return { key: `reboot ${xid}`, bytes: encodeReboot(xid, keptMac(mac, sequence), keptAddress(sequence)) };
  },

  answers(bytes) {
    const reply = decodeReply(bytes);
    if (!reply) return null;
    if (reply.type === DhcpType.offer) return `offer ${reply.xid} ${reply.address}`;
    return reply.type === DhcpType.ack || reply.type === DhcpType.nak ? `reboot ${reply.xid}` : null;
  },

  follow(bytes, { sequence, mac }) {
    const reply = decodeReply(bytes);
    const own = keptMac(mac, sequence);
    const address = keptAddress(sequence);
    if (reply?.type === DhcpType.nak) return { key: `offer ${reply.xid} ${address}`, bytes: encodeDiscover(reply.xid, own, address) };
    if (reply?.type === DhcpType.offer) return { key: `reboot ${reply.xid}`, bytes: encodeSelect(reply.xid, own, address, reply.server) };
    return null;
  },
};

const keptAddress = (sequence: number): number => FIRST_ADDRESS + (sequence % KEPT_CLIENTS);
const keptMac = (mac: Uint8Array, sequence: number): Uint8Array => clientMac(mac, sequence % KEPT_CLIENTS);

function clientMac(mac: Uint8Array, sequence: number): Uint8Array {
  const own = mac.slice();
  own[3] ^= 0x80;
  own[5] = sequence & 15;
  return own;
}
