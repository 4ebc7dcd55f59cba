import type { NetInterface } from '../net/interface.js';

/** Flags of netdevice(7). */
export const IFF = { UP: 1, BROADCAST: 2, LOOPBACK: 8, RUNNING: 0x40, PROMISC: 0x100, ALLMULTI: 0x200, MULTICAST: 0x1000, LOWER_UP: 0x10000 } as const;

/** ARPHRD_ETHER, ARPHRD_LOOPBACK */
export function hardwareType(device: NetInterface): number {
  return device.loopback ? 772 : 1;
}

export function flagsOf(device: NetInterface): number {
  const kind = device.loopback ? IFF.LOOPBACK : IFF.BROADCAST | IFF.MULTICAST;
  return kind | (device.up ? IFF.UP | IFF.RUNNING | IFF.LOWER_UP : 0) | (device.promiscuous ? IFF.PROMISC : 0);
}
