import { console, readLoop } from './console.js';
import { dhcp, dhcpLease, dhcpNewcomer, dhcpReboot } from './dhcp.js';
import { dns, dnsPadded, dnsSubnet, dnsTcp } from './dns.js';
import { http, httpKept, httpSlow } from './http.js';
import { rawIp } from './ip.js';
import type { Protocol } from './protocol.js';
import { quota } from './quota.js';

export type { Protocol, Request, RequestInput, Stream } from './protocol.js';

export const protocols = {
  dns, 'dns-tcp': dnsTcp, 'dns-subnet': dnsSubnet, 'dns-padded': dnsPadded, dhcp, 'dhcp-newcomer': dhcpNewcomer, 'dhcp-lease': dhcpLease, 'dhcp-reboot': dhcpReboot, quota, http, 'http-kept': httpKept, 'http-slow': httpSlow, ip: rawIp, console, 'read-loop': readLoop,
} as const satisfies Record<string, Protocol>;
export type ProtocolName = keyof typeof protocols;
export const protocolNames = Object.keys(protocols) as [ProtocolName, ...ProtocolName[]];

export const protocol = (name: ProtocolName): Protocol => protocols[name];
