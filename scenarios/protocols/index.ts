import { console, readLoop } from './console.js';
import { dhcp, dhcpLease } from './dhcp.js';
import { dns, dnsSubnet } from './dns.js';
import type { Protocol } from './protocol.js';

export type { Protocol, Request, RequestInput } from './protocol.js';

export const protocols = { dns, 'dns-subnet': dnsSubnet, dhcp, 'dhcp-lease': dhcpLease, console, 'read-loop': readLoop } as const satisfies Record<string, Protocol>;
export type ProtocolName = keyof typeof protocols;
export const protocolNames = Object.keys(protocols) as [ProtocolName, ...ProtocolName[]];

export const protocol = (name: ProtocolName): Protocol => protocols[name];
