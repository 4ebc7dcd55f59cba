import { invariant } from '../../base/index.js';
import type { Address } from './address6.js';
import { read16, write16 } from './bytes.js';
import { foldSum, onesSum, pseudoSum } from './checksum.js';
import { IP_UDP } from './ipv4.js';

export const UDP_HEADER = 8;
/** 65535 less an IPv4 and a UDP header. */
export const UDP_MAX = 65507;

/** RFC 768:  0 source port | 2 destination port | 4 length | 6 checksum (0: none) | 8 data */
export class UdpView {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get sourcePort(): number { return read16(this.bytes, 0); }
  get destinationPort(): number { return read16(this.bytes, 2); }
  get length(): number { return read16(this.bytes, 4); }
  get checksum(): number { return read16(this.bytes, 6); }
}

export interface UdpDatagram {
  sourcePort: number;
  destinationPort: number;
  payload: Uint8Array;
}

export function readUdp(bytes: Uint8Array, source: Address, destination: Address): UdpDatagram | string {
  if (bytes.length < UDP_HEADER) return 'udp.short';
  const view = new UdpView(bytes);
  if (view.length < UDP_HEADER || view.length > bytes.length) return 'udp.length';
  // RFC 8200 section 8.1: IPv6 has no other check of its addresses.
  if (view.checksum === 0 && typeof source === 'string') return 'udp.no-checksum';
  if (view.checksum !== 0 && udpChecksum(bytes, view.length, source, destination) !== 0) return 'udp.checksum';
  if (view.destinationPort === 0) return 'udp.port-zero';
  return { sourcePort: view.sourcePort, destinationPort: view.destinationPort, payload: bytes.subarray(UDP_HEADER, view.length) };
}

function udpChecksum(bytes: Uint8Array, length: number, source: Address, destination: Address): number {
  return foldSum(onesSum(bytes, 0, length, pseudoSum(source, destination, IP_UDP, length)));
}

export function writeUdp(datagram: UdpDatagram, source: Address, destination: Address): Uint8Array {
  invariant(datagram.payload.length <= UDP_MAX, 'a UDP payload has at most 65507 bytes');
  const bytes = new Uint8Array(UDP_HEADER + datagram.payload.length);
  write16(bytes, 0, datagram.sourcePort);
  write16(bytes, 2, datagram.destinationPort);
  write16(bytes, 4, bytes.length);
  bytes.set(datagram.payload, UDP_HEADER);
  write16(bytes, 6, udpChecksum(bytes, bytes.length, source, destination) || 0xffff);
  return bytes;
}
