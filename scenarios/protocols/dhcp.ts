import { decodeReply, DhcpType, encodeDiscover, encodeSelect } from '../codecs/dhcp.js';
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

function clientMac(mac: Uint8Array, sequence: number): Uint8Array {
  const own = mac.slice();
  own[3] ^= 0x80;
  own[5] = sequence & 15;
  return own;
}
