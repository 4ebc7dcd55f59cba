import type { Random } from '../../emulator/base/index.js';
import { DhcpOption, DhcpType, encodeOption, encodeRequest } from '../codecs/dhcp.js';

const CLIENT_MAC = Uint8Array.of(0x02, 0xba, 0xd0, 0, 0, 1);

/**
 * A host name longer than the array it is copied to on the stack: what lies behind the array is the return address, so the sender chooses
 * where the function returns to, and with that the signal: an address nobody mapped.
 */
export function stackSmash(random: Random): Uint8Array {
  const name = new Uint8Array(200);
  for (let at = 0; at < name.length; at += 4) name.set([0x44, 0x33, 0x22, 0x11], at);
  return encodeRequest(random.next(), CLIENT_MAC, [
    encodeOption(DhcpOption.messageType, Uint8Array.of(DhcpType.discover)),
    encodeOption(DhcpOption.hostName, name),
  ]);
}
