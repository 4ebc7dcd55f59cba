import { Errno, type Result } from '../base/index.js';
import type { DatagramSocket } from './datagram-socket.js';
import type { NetInterface } from './interface.js';
import type { NetStack } from './stack.js';
import * as wire from './wire/index.js';
import type { Address } from './wire/index.js';

/** IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP. ENODEV, EADDRINUSE (a member already), EINVAL (no group), ENOBUFS. */
export function joinGroup(stack: NetStack, socket: DatagramSocket, group: Address, device: number): Result {
  if (!wire.isMulticast(group)) return -Errno.EINVAL;
  const on = device !== 0 ? stack.interface(device) : multicastDevice(stack, group);
  if (!on) return -Errno.ENODEV;
  if (socket.memberships.some((member) => member.group === group && member.device === on.index)) return -Errno.EADDRINUSE;
  // Linux: igmp_max_memberships.
  if (socket.memberships.length >= 20) return -Errno.ENOBUFS;
  socket.memberships.push({ group, device: on.index });
  joinOn(stack, on, group);
  return 0;
}

export function leaveGroup(stack: NetStack, socket: DatagramSocket, group: Address, device: number): Result {
  const at = socket.memberships.findIndex((member) => member.group === group && (device === 0 || member.device === device));
  if (at < 0) return -Errno.EADDRNOTAVAIL;
  const [member] = socket.memberships.splice(at, 1);
  leaveOn(stack, member.device, group);
  return 0;
}

export function leaveGroups(stack: NetStack, socket: DatagramSocket): void {
  for (const { group, device } of socket.memberships) leaveOn(stack, device, group);
  socket.memberships.length = 0;
}

/** The first member on an interface, and the end of the last one, are told to the routers on its link. */
function joinOn(stack: NetStack, device: NetInterface, group: Address): void {
  if (wire.isIp6(group)) return stack.v6.joinOn(device, group);
  const first = !device.groups.has(group);
  device.join(group);
  if (first) stack.igmp.changed(device, group, true);
  return undefined;
}

function leaveOn(stack: NetStack, index: number, group: Address): void {
  const device = stack.interface(index);
  if (!device) return undefined;
  if (wire.isIp6(group)) return stack.v6.leaveOn(device, group);
  device.leave(group);
  if (!device.groups.has(group)) stack.igmp.changed(device, group, false);
  return undefined;
}

function multicastDevice(stack: NetStack, group: Address): NetInterface | undefined {
  if (wire.isIp6(group)) return stack.v6.groupDevice(group);
  const route = stack.routes.lookup(group);
  return route ? stack.interface(route.device) : stack.interfaces.find((device) => device.up && !device.loopback);
}
