import { invariant } from '../../base/index.js';
import type { Mac } from './address.js';
import { read16, read48, write16, write48 } from './bytes.js';

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;
export const ETHERNET_HEADER = 14;
/** Without the frame check sequence, which links do not carry. */
export const ETHERNET_MIN = 60;

/** Any bytes seen as an Ethernet II frame. */
export class EthernetView {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get destination(): Mac { return read48(this.bytes, 0); }
  get source(): Mac { return read48(this.bytes, 6); }
  get type(): number { return read16(this.bytes, 12); }
  get payload(): Uint8Array { return this.bytes.subarray(ETHERNET_HEADER); }
}

export interface EthernetFrame {
  destination: Mac;
  source: Mac;
  type: number;
  payload: Uint8Array;
}

/** The record, or the name of the reason why there is none. */
export function readEthernet(bytes: Uint8Array): EthernetFrame | string {
  if (bytes.length < ETHERNET_HEADER) return 'eth.short';
  const { destination, source, type, payload } = new EthernetView(bytes);
  if (type < 0x600) return 'eth.802.3';
  return { destination, source, type, payload };
}

/** Pads to the shortest frame Ethernet carries. */
export function writeEthernet(frame: EthernetFrame): Uint8Array {
  invariant(frame.type >= 0x600, 'an EtherType is at least 0x600');
  const bytes = new Uint8Array(Math.max(ETHERNET_MIN, ETHERNET_HEADER + frame.payload.length));
  write48(bytes, 0, frame.destination);
  write48(bytes, 6, frame.source);
  write16(bytes, 12, frame.type);
  bytes.set(frame.payload, ETHERNET_HEADER);
  return bytes;
}
