import { failed, Invariant, Random } from '../../emulator/base/index.js';
import { layerOf, Store, storeName, type WriteOptions } from '../../emulator/checkpoint/index.js';
import type { Process } from '../../emulator/kernel/index.js';
import type { NetStack } from '../../emulator/net/index.js';
import { PAGE_SIZE, Prot } from '../../emulator/memory/index.js';
import type { ProfileName } from '../../emulator/router/profiles.js';
import { percentile } from '../metrics.js';
import { scenarioSchema } from '../schema.js';
import { Simulation } from '../simulation.js';
import type { Ramdisk } from './subject.js';

/** How a name server that freezes itself every so many requests does it; `none` never does. */
export const servicePaths = {
  none: { title: 'no checkpoints', option: 'default', store: 0, write: {} },
  'vnode/fresh': { title: 'vnodes, new file, renamed', option: 'vnode', store: Store.vnode, write: {} },
  'vnode/share': { title: 'vnodes, adopting file, renamed', option: 'vnode', store: Store.vnode, write: { adopt: true } },
  'shunt/fresh': { title: 'shunt, copy into fresh frames', option: 'copy', store: Store.copy, write: {} },
  'shunt/reused': { title: 'shunt, copy into a warm pool', option: 'pool', store: Store.pool, write: {} },
  'shunt/share': { title: 'shunt, share the pages', option: 'share', store: Store.share, write: {} },
} as const satisfies Record<string, { title: string; option: string; store: number; write: Partial<WriteOptions> }>;

export type ServicePath = keyof typeof servicePaths;
export const servicePathNames = Object.keys(servicePaths) as ServicePath[];

export interface ServicePlan {
  path: ServicePath;
  /** Requests between freezes; 0 without. */
  interval: number;
  /** Requests offered a second. */
  offered: number;
  /** Memory the daemon has besides its own, in bytes: the tables of a larger one. */
  state: number;
  profile: ProfileName;
  ramdisk: Ramdisk;
}

export interface ServiceRow extends Omit<ServicePlan, 'profile' | 'ramdisk'> {
  /** Answered a second. */
  throughput: number;
  /** Of those answered, in seconds. */
  p50: number;
  p99: number;
  /** Share of the requests that got no answer in time. */
  lost: number;
  /** Frames that found the receive ring full, and datagrams that found the socket's buffer full. */
  ringLost: number;
  socketLost: number;
  freezes: number;
  imageBytes: number;
  /** Share of the time spent in freezes. */
  frozen: number;
}

const WARM_UP_NS = 0.1e9;
const RUN_NS = 0.6e9;
/** The schema's limit for one client. */
const MOST_A_CLIENT = 10_000;
const NAMES = ['printer.lan', 'nas.lan', 'tv.lan'];
const HOSTS = NAMES.map((name, i) => `192.168.1.${200 + i} ${name}\n`).join('');
const POOL_BYTES = 4 << 20;

function scenarioFor({ path, interval, offered, profile }: ServicePlan) {
  const clients = Math.ceil(offered / MOST_A_CLIENT);
  const hosts = Array.from({ length: clients }, (_, i) => ({ name: `client${i}`, on: 'lan0', address: `192.168.1.${10 + i}` }));
  const mode = path === 'none' ? 'none' : 'rollback';
  return {
    ...scenarioSchema.parse({
      schema: 1, name: 'service', title: 'service under load', summary: 'names from /etc/hosts', seed: 1, profile, duration: `${RUN_NS / 1e6}ms`,
      topology: { hosts }, files: { '/etc/hosts': HOSTS },
      daemons: [{ name: 'dnsd', program: '/usr/sbin/dnsd', options: false, arguments: ['-m', mode, '-s', servicePaths[path].option, '-i', String(interval || 1)] }],
      load: hosts.map(({ name }) => ({ name, protocol: 'dns', host: name, rate: `${Math.round(offered / clients)}/s`, names: NAMES })),
      arms: ['rollback-vnode'],
    }),
    folder: '', file: '',
  };
}

/** Give the daemon the memory of a larger one; it never writes to it. */
function grow(process: Process, bytes: number): void {
  if (bytes === 0) return;
  const at = process.space.map({ length: bytes, prot: Prot.read | Prot.write });
  if (failed(at)) throw new Invariant('the daemon cannot grow');
  const random = new Random(7);
  const page = new Uint8Array(PAGE_SIZE);
  for (let offset = 0; offset < bytes; offset += PAGE_SIZE) {
    random.fill(page);
    if (failed(process.space.copyout(at + offset, page))) throw new Invariant('the daemon has no room to grow');
  }
}

/** Half a second of a name server's life under an even load. Deterministic. */
export function serve(plan: ServicePlan, image: Uint8Array): ServiceRow {
  const { path, interval, offered, state } = plan;
  const pool = path === 'shunt/reused' ? 3 * Math.ceil((state + POOL_BYTES / 4) / PAGE_SIZE) : 0;
  const checkpoint = { store: servicePaths[path].store || Store.vnode, checksum: false, poolFrames: pool, quota: { checkpoints: 64, bytes: Infinity } };
  const simulation = Simulation.create(scenarioFor(plan), 'rollback-vnode', { image, router: { checkpoint, ramdisk: plan.ramdisk } });
  const { kernel } = simulation.router;
  const layer = layerOf(kernel);
  // Neither path writes more than the image proper; both replace the old image atomically, as a daemon needs it.
  if (layer) layer.write = { ...layer.write, complete: false, checksum: false, ...servicePaths[path].write };
  const process = [...kernel.processes.values()].find(({ comm, state: life }) => comm === 'dnsd' && life === 'alive');
  if (!process) throw new Invariant('no dnsd');
  grow(process, state);
  const from = simulation.start + kernel.clock.toCycles(WARM_UP_NS);
  simulation.run(from);
  const drops = (kernel.net as NetStack).drops.snapshot();
  simulation.run();
  return { path, interval, offered, state, ...results(simulation, from, (kernel.net as NetStack).drops.since(drops), plan) };
}

function results(simulation: Simulation, from: number, drops: Record<string, number>, { path }: ServicePlan) {
  const { hz } = simulation.router.kernel.clock;
  const { loads, entries, end } = simulation.record();
  const sent = loads.flatMap((load) => load.sent.map((at, i) => ({ at, answered: load.answered[i] }))).filter(({ at }) => at >= from);
  const delays = sent.filter(({ answered }) => answered >= 0).map(({ at, answered }) => (answered - at) / hz);
  const arrived = loads.flatMap((load) => load.answered).filter((at) => at >= from && at <= end).length;
  const store = storeName(servicePaths[path].store);
  const freezes = entries.filter((entry) => entry.what === 'checkpoint.freeze' && entry.store === store && entry.t >= from);
  const seconds = (end - from) / hz;
  // What was sent so late that it could not yet be answered is not lost.
  const settled = sent.filter(({ at }) => at < end - 0.1 * hz);
  return {
    throughput: arrived / seconds, p50: percentile(delays, 0.5), p99: percentile(delays, 0.99),
    lost: settled.length === 0 ? 0 : settled.filter(({ answered }) => answered < 0).length / settled.length,
    ringLost: drops['interface.ring-full'] ?? 0, socketLost: Object.entries(drops).reduce((sum, [name, count]) => (name.startsWith('udp.') ? sum + count : sum), 0),
    freezes: freezes.length, imageBytes: Math.max(0, ...freezes.map((entry) => Number(entry.bytes))),
    frozen: freezes.reduce((sum, entry) => sum + Number(entry.cycles), 0) / (end - from),
  };
}
