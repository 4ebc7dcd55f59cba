import { console, readLoop } from './console.js';
import { dhcp, dhcpLease, dhcpReboot } from './dhcp.js';
import { dns, dnsPadded, dnsSubnet } from './dns.js';
import { rawIp } from './ip.js';
import type { Protocol } from './protocol.js';
import { quota } from './quota.js';

export type { Protocol, Request, RequestInput } from './protocol.js';

export const protocols = {
  dns, 'dns-subnet': dnsSubnet, 'dns-padded': dnsPadded, dhcp, 'dhcp-lease': dhcpLease, 'dhcp-reboot': dhcpReboot, quota, ip: rawIp, console, 'read-loop': readLoop,
} as const satisfies Record<string, Protocol>;
export type ProtocolName = keyof typeof protocols;
export const protocolNames = Object.keys(protocols) as [ProtocolName, ...ProtocolName[]];

export const protocol = (name: ProtocolName): Protocol => protocols[name];
