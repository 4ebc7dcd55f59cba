import type { CaptureFile } from './capture-file.js';

/** No link has longer packets (libpcap's MAXIMUM_SNAPLEN). */
export const MAX_PACKET = 262_144;

/**
 * The classic format (draft-ietf-opsawg-pcap), fields in the writer's byte order:
 *   file:   0 magic (a1b2c3d4: µs, a1b23c4d: ns) | 4 version 2.4 | 8 zone | 12 accuracy | 16 snaplen | 20 link type (low 16 bits)
 *   packet: 0 seconds | 4 fraction | 8 captured length | 12 original length | 16 data
 */
export function readPcap(bytes: Uint8Array): CaptureFile {
  const file: CaptureFile = { format: 'pcap', interfaces: [], packets: [], error: null };
  if (bytes.length < 24) return { ...file, error: `the file ends at offset ${bytes.length}, inside the 24-byte pcap header; copy it again` };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0xd4 || bytes[0] === 0x4d;
  const unit = view.getUint32(0, little) === 0xa1b23c4d ? 1n : 1000n;
  const major = view.getUint16(4, little);
  if (major !== 2) return { ...file, error: `offset 4: pcap version ${major}; only version 2 is known, convert the file with editcap` };
  const linkType = view.getUint32(20, little) & 0xffff;
  file.interfaces.push({ name: '', linkType });
  for (let at = 24; at < bytes.length;) {
    if (at + 16 > bytes.length) return { ...file, error: cut(at) };
    const length = view.getUint32(at + 8, little);
    if (length > MAX_PACKET) return { ...file, error: `offset ${at + 8}: a packet of ${length} bytes; the file is damaged from here on (editcap -c can split off the part before)` };
    if (at + 16 + length > bytes.length) return { ...file, error: cut(at) };
    const time = BigInt(view.getUint32(at, little)) * 1_000_000_000n + BigInt(view.getUint32(at + 4, little)) * unit;
    const originalLength = view.getUint32(at + 12, little);
    file.packets.push({ time, bytes: bytes.subarray(at + 16, at + 16 + length), linkType, originalLength, interface: 0, comment: '' });
    at += 16 + length;
  }
  return file;
}

function cut(at: number): string {
  return `the file ends inside the packet at offset ${at}; the packets before it were read, copy the file again for the rest`;
}
