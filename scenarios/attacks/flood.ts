import type { Random } from '../../emulator/base/index.js';
import { IP_ICMP, IP_UDP, ipv4, writeIcmp, writeIpv4 } from '../../emulator/net/index.js';
import { concat } from '../codecs/dns.js';

/** More than the receive ring of a router holds. */
const PINGS = 160;
/** More than the reassembly of a router holds. */
const FIRST_FRAGMENTS = 80;
const ECHO_REQUEST = 8;
/** Addresses for the channel to fill in. */
const HERE = { source: 0, destination: 0 };

/** Echo requests end to end: each costs the router's kernel a packet received and one sent, whatever its daemons do. */
export function echoFlood(random: Random): Uint8Array {
  const id = random.next() & 0xffff;
  return concat(...Array.from({ length: PINGS }, (_, sequence) => {
    const payload = writeIcmp({ type: ECHO_REQUEST, code: 0, rest: ((id << 16) | sequence) >>> 0, data: new Uint8Array(28) });
    return writeIpv4(ipv4({ ...HERE, protocol: IP_ICMP, payload }));
  }));
}

/** First fragments of datagrams of which nothing else will come (RFC 1858's world; the queue of CVE-2018-5391). */
export function fragmentFlood(random: Random): Uint8Array {
  return concat(...Array.from({ length: FIRST_FRAGMENTS }, () => {
    const payload = new Uint8Array(24);
    random.fill(payload);
    return writeIpv4(ipv4({ ...HERE, protocol: IP_UDP, payload, moreFragments: true, identification: random.next() & 0xffff }));
  }));
}
