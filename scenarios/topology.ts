import { Cable, Capture, Delay, Host, ip, Loss, mac, Rate, Switch, type Link } from '../emulator/net/index.js';
import { snapshotClass, type Random } from '../emulator/base/index.js';
import type { Router } from '../emulator/router/router.js';
import { Resolver } from './actors/resolver.js';
import type { TopologySpec } from './schema.js';

export const PORTS = ['lan0', 'wan0'] as const;
export type PortName = (typeof PORTS)[number];

/** The router's own addresses, as the firmware's init.conf sets them. */
export const ROUTER = { lan0: '192.168.1.1', wan0: '203.0.113.2' } as const;
const PREFIX = 24;
const GATEWAY: Record<PortName, string> = { lan0: ROUTER.lan0, wan0: ROUTER.wan0 };
/** Time the provider's resolver takes for an answer. */
const RESOLVER_NS = 5e6;
const QUEUE_FRAMES = 256;

/** What surrounds the router: on each port one link to a switch, and the hosts plugged into it. */
export class Topology {
  readonly hosts = new Map<string, Host>();
  readonly captures: Capture[] = [];
  readonly resolvers: Resolver[] = [];

  constructor(router: Router, spec: TopologySpec, random: Random) {
    const { clock, events } = router.kernel;
    PORTS.forEach((port, number) => {
      const link = this.link(router, port, spec, random.fork(number));
      router.attach(port, link);
      const segment = new Switch(clock);
      segment.plug(link, 1);
      spec.hosts.forEach((host, i) => {
        if (host.on !== port) return;
        const cable = host.rate === undefined ? new Cable(clock, events) : new Rate(new Cable(clock, events), clock, events, host.rate, QUEUE_FRAMES);
        segment.plug(cable, 0);
        const address = { name: host.name, mac: mac(`02:00:00:00:0${number + 1}:${(16 + i).toString(16)}`), address: ip(host.address), prefix: PREFIX, gateway: ip(GATEWAY[port]) };
        const added = new Host(clock, events, random.fork(16 + i), cable, 1, address);
        this.hosts.set(host.name, added);
        if (host.resolver) this.resolvers.push(new Resolver(added, clock, events, clock.toCycles(RESOLVER_NS), host.silent));
      });
    });
  }

  /** The capture stands at the far end of delay and loss: it sees what gets through, at the time it does. */
  private link(router: Router, port: PortName, spec: TopologySpec, random: Random): Link {
    const { clock, events } = router.kernel;
    const { delay, loss, rate } = spec[port];
    const capture = new Capture(new Cable(clock, events), clock, port);
    this.captures.push(capture);
    let link: Link = new Delay(capture, clock, events, clock.toCycles(delay));
    if (rate !== undefined) link = new Rate(link, clock, events, rate, QUEUE_FRAMES);
    return loss > 0 ? new Loss(link, random, { loss }) : link;
  }
}
snapshotClass('Topology', Topology);
