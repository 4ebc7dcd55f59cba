import { Errno, type Fail } from '../base/index.js';
import { read16, read32, write16, write32, type Ip } from '../net/wire/index.js';
import { AF } from './socket-numbers.js';
import { familyOf } from './socket-file.js';

/** struct sockaddr_in: 0 family | 2 port (network order) | 4 address | 8 zeros to 16 */
export function inetAddress(address: Ip, port: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[0] = AF.INET;
  write16(bytes, 2, port);
  write32(bytes, 4, address);
  return bytes;
}

export interface Peer {
  address: Ip;
  port: number;
}

/** AF_UNSPEC is taken for AF_INET where BSD programs expect it. */
export function peerOf(bytes: Uint8Array, acceptUnspec: boolean): Peer | Fail {
  if (bytes.length < 16) return -Errno.EINVAL;
  const family = familyOf(bytes);
  if (family !== AF.INET && !(acceptUnspec && family === AF.UNSPEC)) return -Errno.EAFNOSUPPORT;
  return { address: read32(bytes, 4), port: read16(bytes, 2) };
}
