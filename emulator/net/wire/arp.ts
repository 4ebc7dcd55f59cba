import { isGroupMac, type Ip, type Mac } from './address.js';
import { read16, read32, read48, write16, write32, write48 } from './bytes.js';

export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;
const ARP_LENGTH = 28;

/**
 * RFC 826, for Ethernet and IPv4:
 *   0 hardware 1 | 2 protocol 0x0800 | 4 lengths 6, 4 | 6 operation
 *   8 sender MAC | 14 sender IP | 18 target MAC | 24 target IP
 */
export class ArpView {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get isEthernetIpv4(): boolean {
    return read16(this.bytes, 0) === 1 && read16(this.bytes, 2) === 0x0800 && read16(this.bytes, 4) === 0x0604;
  }
  get operation(): number { return read16(this.bytes, 6); }
  get senderMac(): Mac { return read48(this.bytes, 8); }
  get senderIp(): Ip { return read32(this.bytes, 14); }
  get targetMac(): Mac { return read48(this.bytes, 18); }
  get targetIp(): Ip { return read32(this.bytes, 24); }
}

export interface ArpPacket {
  operation: number;
  senderMac: Mac;
  senderIp: Ip;
  targetMac: Mac;
  targetIp: Ip;
}

export function readArp(bytes: Uint8Array): ArpPacket | string {
  if (bytes.length < ARP_LENGTH) return 'arp.short';
  const view = new ArpView(bytes);
  if (!view.isEthernetIpv4) return 'arp.not-ethernet-ipv4';
  const { operation, senderMac, senderIp, targetMac, targetIp } = view;
  if (operation !== ARP_REQUEST && operation !== ARP_REPLY) return 'arp.operation';
  if (isGroupMac(senderMac) || senderMac === 0) return 'arp.sender';
  return { operation, senderMac, senderIp, targetMac, targetIp };
}

export function writeArp(packet: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(ARP_LENGTH);
  write16(bytes, 0, 1);
  write16(bytes, 2, 0x0800);
  write16(bytes, 4, 0x0604);
  write16(bytes, 6, packet.operation);
  write48(bytes, 8, packet.senderMac);
  write32(bytes, 14, packet.senderIp);
  write48(bytes, 18, packet.targetMac);
  write32(bytes, 24, packet.targetIp);
  return bytes;
}
