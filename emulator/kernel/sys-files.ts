import { hex } from '../base/index.js';
import type { NetInterface } from '../net/interface.js';
import { formatMac } from '../net/wire/address.js';
import { flagsOf, hardwareType, IFF } from './interface-flags.js';
import type { Kernel } from './kernel.js';
import type { ProcSpec } from './procfs.js';

/** The contents of /sys that programs on routers read: interfaces as sysfs-class-net has them, and how many processors there are. */

const file = (read: () => string | number): ProcSpec => ({ type: 'reg', read: () => `${read()}\n` });
const dir = (entries: () => Record<string, ProcSpec>): ProcSpec => ({ type: 'dir', entries });
const link = (text: string): ProcSpec => ({ type: 'lnk', text: () => text });

const EINVAL = -22;
/** Interfaces without hardware, and the system-on-chip's. */
const placeOf = (device: NetInterface): string => (device.loopback ? 'virtual' : 'platform');

export function sysSpec(kernel: Kernel): ProcSpec {
  const interfaces = (): readonly NetInterface[] => kernel.net?.interfaces ?? [];
  const named = (place: string): Record<string, ProcSpec> => Object.fromEntries(interfaces().filter((device) => placeOf(device) === place)
    .map((device) => [device.name, interfaceSpec(device)]));
  const net = (): Record<string, ProcSpec> => Object.fromEntries(interfaces().map((device) => [device.name, link(`../../devices/${placeOf(device)}/net/${device.name}`)]));
  const processors = dir(() => ({ online: file(() => 0), possible: file(() => 0), present: file(() => 0), cpu0: dir(() => ({})) }));
  return dir(() => ({
    class: dir(() => ({ net: dir(net) })),
    devices: dir(() => ({
      platform: dir(() => ({ net: dir(() => named('platform')) })),
      system: dir(() => ({ cpu: processors })),
      virtual: dir(() => ({ net: dir(() => named('virtual')) })),
    })),
  }));
}

function interfaceSpec(device: NetInterface): ProcSpec {
  const mac = (value: number): ProcSpec => file(() => formatMac(value));
  const mtu: ProcSpec = { type: 'reg', read: () => `${device.mtu}\n`, write: (text) => setMtu(device, text) };
  return dir(() => ({
    addr_assign_type: file(() => 0), addr_len: file(() => 6), address: mac(device.mac), broadcast: mac(device.loopback ? 0 : 0xffff_ffff_ffff),
    carrier: file(() => (device.up ? 1 : 0)), dev_id: file(() => '0x0'), dormant: file(() => 0), flags: file(() => hex(flagsOf(device) & ~(IFF.RUNNING | IFF.LOWER_UP))),
    ifindex: file(() => device.index), iflink: file(() => device.index), link_mode: file(() => 0), mtu, operstate: file(() => operationalState(device)),
    statistics: dir(() => statistics(device)), tx_queue_len: file(() => device.txQueueLength), type: file(() => hardwareType(device)),
    uevent: { type: 'reg', read: () => `INTERFACE=${device.name}\nIFINDEX=${device.index}\n` },
  }));
}

/** RFC 2863; the loopback has none. */
function operationalState(device: NetInterface): string {
  if (!device.up) return 'down';
  return device.loopback ? 'unknown' : 'up';
}

/** As the ioctl and netlink allow it; the file's mode keeps others than the superuser away. */
function setMtu(device: NetInterface, text: string): number {
  const value = Number(text.trim());
  if (!Number.isInteger(value) || value < 68 || value > (device.loopback ? 65_536 : 1500)) return EINVAL;
  device.mtu = value;
  return 0;
}

function statistics(device: NetInterface): Record<string, ProcSpec> {
  const { rxPackets, rxBytes, rxErrors, rxDropped, rxMissed, rxMulticast, txPackets, txBytes, txDropped } = device;
  const counts = {
    collisions: 0, multicast: rxMulticast, rx_bytes: rxBytes, rx_dropped: rxDropped, rx_errors: rxErrors, rx_length_errors: rxErrors, rx_missed_errors: rxMissed, rx_packets: rxPackets,
    tx_bytes: txBytes, tx_dropped: txDropped, tx_errors: 0, tx_packets: txPackets,
  };
  return Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, file(() => value)]));
}
