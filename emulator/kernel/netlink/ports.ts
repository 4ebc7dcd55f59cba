import { snapshotClass } from '../../base/index.js';
import type { NetChange, NetWatcher } from '../../net/changes.js';
import type { NetStack } from '../../net/stack.js';
import type { Kernel } from '../kernel.js';
import { eventOf } from './events.js';
import type { NetlinkSocket } from './netlink-socket.js';

const NETLINK_ROUTE = 0;

/** All netlink sockets of the machine; hears of the network's changes and tells the groups of rtnetlink(7). */
export class NetlinkPorts implements NetWatcher {
  readonly sockets: NetlinkSocket[] = [];
  private readonly net: NetStack | null;
  private nextPort = -4097;

  constructor(net: NetStack | null) {
    this.net = net;
    net?.watchers.push(this);
  }

  find(protocol: number, port: number): NetlinkSocket | undefined {
    return this.sockets.find((socket) => socket.protocol === protocol && socket.port === port);
  }

  /** A free port, `preferred` if it is one. */
  choose(protocol: number, preferred: number): number {
    let port = preferred;
    while (this.find(protocol, port)) port = this.nextPort--;
    return port;
  }

  remove(socket: NetlinkSocket): void {
    const at = this.sockets.indexOf(socket);
    if (at >= 0) this.sockets.splice(at, 1);
  }

  multicast(protocol: number, group: number, bytes: Uint8Array, from: number, except: NetlinkSocket | null): void {
    for (const socket of this.sockets) {
      if (socket !== except && socket.protocol === protocol && socket.isMember(group)) socket.deliver(bytes, from, group);
    }
  }

  onChange(change: NetChange): void {
    if (!this.net || this.sockets.length === 0) return;
    const event = eventOf(this.net, change);
    this.multicast(NETLINK_ROUTE, event.group, event.bytes, 0, null);
  }
}
snapshotClass('NetlinkPorts', NetlinkPorts);

export function netlinkPorts(kernel: Kernel): NetlinkPorts {
  let ports = kernel.extension.get('netlink') as NetlinkPorts | undefined;
  if (!ports) kernel.extension.set('netlink', ports = new NetlinkPorts(kernel.net));
  return ports;
}
