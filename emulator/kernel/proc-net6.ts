import { hexDigits } from '../base/index.js';
import type { Address6 } from '../net/index.js';
import type { NetInterface } from '../net/interface.js';
import { snmp6Text } from '../net/mib.js';
import type { Route6 } from '../net/routes.js';
import type { NetStack } from '../net/stack.js';
import { ANY6, isLinkLocal, LOOPBACK6 } from '../net/wire/index.js';
import type { ProcSpec } from './procfs.js';

/** IFA_F_TENTATIVE, IFA_F_DEPRECATED, IFA_F_PERMANENT */
const TENTATIVE = 0x40;
const DEPRECATED = 0x20;
const PERMANENT = 0x80;
/** Scopes as if_inet6 has them. */
const HOST = 0x10;
const LINK = 0x20;

/** /proc/net of IPv6 but for its sockets (proc-net.ts), in the forms ifconfig, route and the C library parse. */
export function procNet6(net: NetStack): Record<string, ProcSpec> {
  const file = (read: () => string): ProcSpec => ({ type: 'reg', read });
  const perDevice = (): Record<string, ProcSpec> => Object.fromEntries(net.interfaces.map((device) => [device.name, file(() => `ifIndex                         \t${device.index}\n${snmp6Text(device.v6.counters)}`)]));
  return {
    if_inet6: file(() => addresses(net)), ipv6_route: file(() => routes(net)), snmp6: file(() => snmp6Text(net.snmp)), igmp6: file(() => groups(net)),
    dev_snmp6: { type: 'dir', entries: perDevice },
  };
}

/** What netlink and if_inet6 say of an address: IFA_F_*. */
export function flagsOf6({ clock }: NetStack, { valid, preferred, tentative }: Address6): number {
  return (valid === Infinity ? PERMANENT : 0) | (tentative ? TENTATIVE : 0) | (preferred <= clock.cycles ? DEPRECATED : 0);
}

/** "address index prefix scope flags name" */
function addresses(net: NetStack): string {
  const line = (device: NetInterface, of: Address6): string => {
    const scope = of.address === LOOPBACK6 ? HOST : isLinkLocal(of.address) ? LINK : 0;
    return `${of.address} ${hexDigits(device.index, 2)} ${hexDigits(of.prefix, 2)} ${hexDigits(scope, 2)} ${hexDigits(flagsOf6(net, of), 2)} ${device.name.padStart(8)}\n`;
  };
  return net.interfaces.flatMap((device) => device.v6.addresses.map((of) => line(device, of))).join('');
}

const RTF = { UP: 1, GATEWAY: 2, HOST: 4, REJECT: 0x200, ADDRCONF: 0x40000, EXPIRES: 0x400000, LOCAL: 0x80000000 } as const;
/** rtm_protocol RTPROT_RA */
const BY_RA = 9;

function flagsOfRoute({ prefix, gateway, reject, protocol, expires = Infinity }: Route6): number {
  const learned = (protocol === BY_RA ? RTF.ADDRCONF : 0) | (expires === Infinity ? 0 : RTF.EXPIRES);
  return (RTF.UP | (gateway ? RTF.GATEWAY : 0) | (prefix === 128 ? RTF.HOST : 0) | (reject ? RTF.REJECT : 0) | learned) >>> 0;
}

/** "destination prefix source prefix next-hop metric references use flags name": the main table, then what is delivered here. */
function routes(net: NetStack): string {
  const line = (destination: string, prefix: number, hop: string, metric: number, flags: number, name: string): string =>
    `${destination} ${hexDigits(prefix, 2)} ${ANY6} 00 ${hop} ${hexDigits(metric, 8)} ${hexDigits(1, 8)} ${hexDigits(0, 8)} ${hexDigits(flags, 8)} ${name.padStart(8)}\n`;
  const main = net.v6.routes.sorted().map((route) => line(route.network, route.prefix, route.gateway || ANY6, route.metric, flagsOfRoute(route), net.interface(route.device)?.name ?? 'lo'));
  const local = net.interfaces.flatMap((device) => device.v6.addresses.map(({ address }) => line(address, 128, ANY6, 0, (RTF.UP | RTF.LOCAL) >>> 0, device.loopback ? 'lo' : device.name)));
  return [...main, ...local].join('');
}

/** "index name group users source-flags timer" */
function groups(net: NetStack): string {
  return net.interfaces.flatMap((device) => [...device.v6.groups].map(([group, users]) =>
    `${String(device.index).padEnd(4)} ${device.name.padEnd(15)} ${group} ${String(users).padStart(5)} ${hexDigits(0xc, 8).toUpperCase()} 0\n`)).join('');
}
