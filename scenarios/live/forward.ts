import { isIPv4 } from 'node:net';
import { ip, type Ip } from '../../emulator/net/index.js';

/** A port of this computer (loopback only) that leads to an address and port in the emulated network. */
export interface Forward {
  protocol: 'tcp' | 'udp';
  /** 0: any free one. */
  hostPort: number;
  address: Ip;
  port: number;
  /** As it was written. */
  text: string;
}

const FORM = /^(tcp|udp):(\d{1,5}):(?:([\d.]+):)?(\d{1,5})$/;

/** "tcp:8080:192.168.1.1:80"; without an address, `router`'s. A string says what is wrong with it. */
export function parseForward(text: string, router: string): Forward | string {
  const match = FORM.exec(text);
  if (!match) return `"${text}" is no forward; write it like tcp:8080:${router}:80 (protocol, port here, address and port there)`;
  const [, protocol, hostPort, address = router, port] = match;
  if (!isIPv4(address)) return `"${address}" in "${text}" is no IPv4 address`;
  const ports = [Number(hostPort), Number(port)];
  if (ports.some((one) => one > 65535) || ports[1] === 0) return `"${text}": ports go from 1 to 65535 (0 here: any free one)`;
  return { protocol: protocol as Forward['protocol'], hostPort: ports[0], address: ip(address), port: ports[1], text };
}
