import { InputError } from '../input-error.js';
import { readInput } from '../input-file.js';
import { IP_UDP, readCapture, readEthernet, readIpv4, readUdp, toEthernet, type CapturePacket } from '../../emulator/net/index.js';

const MAX_CAPTURE_BYTES = 64 << 20;

/** A datagram's payload and the number of its frame in the file, from 1 as Wireshark counts. */
export interface CapturedMessage {
  frame: number;
  bytes: Uint8Array;
}

/** The payloads of the UDP datagrams to `port` in a pcap or pcapng file, in order. Throws InputError. */
export function capturedMessages(file: string, port: number): CapturedMessage[] {
  const capture = readCapture(readInput(file, MAX_CAPTURE_BYTES, 'cut it with editcap -r'));
  if (capture.error !== null) throw new InputError(`${file}: ${capture.error}`);
  const messages = capture.packets.flatMap((packet, i) => {
    const bytes = payload(packet, port);
    return bytes ? [{ frame: i + 1, bytes }] : [];
  });
  if (messages.length === 0) throw new InputError(`${file}: no UDP datagram to port ${port} among its ${capture.packets.length} packets; check the attack's \`port\``);
  return messages;
}

function payload(packet: CapturePacket, port: number): Uint8Array | null {
  const bytes = toEthernet(packet, 0, 0);
  const frame = bytes ? readEthernet(bytes) : null;
  if (frame === null || typeof frame === 'string') return null;
  const datagram = readIpv4(frame.payload);
  if (typeof datagram === 'string' || datagram.protocol !== IP_UDP || datagram.moreFragments || datagram.fragmentOffset > 0) return null;
  const udp = readUdp(datagram.payload, datagram.source, datagram.destination);
  return typeof udp !== 'string' && udp.destinationPort === port ? Uint8Array.from(udp.payload) : null;
}
