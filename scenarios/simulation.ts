import { join, posix } from 'node:path';
import { loadGraph, Random, saveGraph, snapshotClass, SnapshotError } from '../emulator/base/index.js';
import type { Process } from '../emulator/kernel/index.js';
import { PAGE_SIZE } from '../emulator/memory/index.js';
import { ip, LIMITED_BROADCAST } from '../emulator/net/index.js';
import { Router, type RouterOptions } from '../emulator/router/router.js';
import { Attacker } from './actors/attacker.js';
import { ConsoleChannel, IpChannel, UdpChannel, type Channel } from './actors/channel.js';
import { TcpChannel } from './actors/tcp-channel.js';
import { Client } from './actors/client.js';
import { arms, type Arm, type ArmName } from './arms.js';
import { generators } from './attacks/index.js';
import { capturedMessages } from './attacks/capture.js';
import { rootOf } from './distribution.js';
import { Injector, type InjectionPlan } from './capture-replay/injector.js';
import { FaultInjector } from './faults/fault-injector.js';
import { planFaults, type FaultPlan } from './faults/fault-plan.js';
import { BootError } from './firmware-image.js';
import { HostTree } from './host-tree.js';
import { initConf } from './init-conf.js';
import type { RunRecord } from './metrics.js';
import { observeDhcp } from './observation/dhcp-state.js';
import { observeDns } from './observation/dns-state.js';
import { wireMessages } from './observation/wire.js';
import { protocol, type ProtocolName } from './protocols/index.js';
import type { Scenario } from './scenario.js';
import type { AttackSpec, LoadSpec, ProberSpec } from './schema.js';
import { ROUTER, Topology } from './topology.js';
import type { AttackSource } from './verdict/culprit.js';

export { firmwareImage } from './firmware-image.js';

export interface SimulationOptions {
  /** Overrides the scenario's. */
  seed?: number;
  hostSlice?: number;
  image: Uint8Array;
  /** Overrides the scenario's, e.g. for a test. */
  durationNs?: number;
  /** Arguments for the daemons under test after the arm's own. */
  flags?: readonly string[];
  /** Beside what the arm says: a warm pool, another ramdisk; for measurements. */
  router?: Partial<RouterOptions>;
}

/** The router has this much virtual time to come up. */
const BOOT_NS = 30e9;
const STEP_NS = 10e6;
const DEFAULT_TIMEOUT_NS = 500e6;
/** Load gaps vary by this share, so that they do not march in step with the prober. */
const LOAD_SPREAD = 0.5;
const FIRST_ATTACK_PORT = 40000;
const MILLIHERTZ_NS = 1e12;
const DNS_PORT = 53;
const DHCP_PORT = 67;
/** Services whose memory can be judged from the wire. */
const OBSERVED_PORTS: ReadonlySet<number> = new Set([DNS_PORT, DHCP_PORT, 68]);

/**
 * A router under one arm and everything done to it, as one object graph: it can be saved at any moment and goes on from there
 * in another process.
 */
export class Simulation {
  readonly router: Router;
  readonly arm: ArmName;
  readonly daemons: string[];
  readonly topology: Topology;
  start = 0;
  private breaksAtStart = { faults: 0, copies: 0 };
  attackStart = 0;
  end = 0;
  probePeriod = 0;
  timeout = 0;
  prober: Client | null = null;
  loads: Client[] = [];
  attackers: Attacker[] = [];
  injector: Injector | null = null;
  faults: FaultInjector | null = null;

  /** Use Simulation.create. */
  constructor(router: Router, arm: ArmName, daemons: string[], topology: Topology) {
    this.router = router;
    this.arm = arm;
    this.daemons = daemons;
    this.topology = topology;
  }

  /** Boots the router, waits until it runs, and sets the stage. */
  static create(scenario: Scenario, arm: ArmName, options: SimulationOptions): Simulation {
    const seed = options.seed ?? scenario.seed;
    const flags = [...arms[arm].flags, ...(options.flags ?? [])];
    const root = rootOf(scenario, options.image);
    const routerOptions: RouterOptions = {
      ...root, profile: scenario.profile, ramdisk: scenario.ramdisk, seed, hostSlice: options.hostSlice,
      checkpoint: checkpointOptions(arms[arm], scenario),
      files: { ...root.files, ...scenario.files, '/etc/init.conf': initConf(scenario, { ...arms[arm], flags }), ...programFiles(scenario) },
      executables: [...(root.executables ?? []), ...Object.keys(scenario.programs ?? {})],
      ...options.router,
    };
    const router = Router.create(routerOptions);
    // A stream of its own: the surroundings must not disturb what the router draws.
    const random = new Random(seed).fork(1);
    const topology = new Topology(router, scenario.topology, random);
    const daemons = scenario.daemons.filter((daemon) => daemon.underTest).map((daemon) => daemon.name);
    const simulation = new Simulation(router, arm, daemons, topology);
    simulation.boot();
    simulation.setStage(scenario, random, options.durationNs ?? scenario.duration);
    return simulation;
  }

  /** Throws SnapshotError for anything but a whole simulation saved by this version. A root filesystem of the user's does not travel with it. */
  static load(bytes: Uint8Array, rootfs?: string): Simulation {
    const loaded = loadGraph(bytes);
    if (!(loaded instanceof Simulation)) throw new SnapshotError('the snapshot holds no simulation');
    if (rootfs !== undefined) loaded.router.insertFlash(new HostTree(rootfs));
    return loaded;
  }

  save(): Uint8Array {
    return saveGraph(this);
  }

  private boot(): void {
    const { router } = this;
    router.boot();
    const { clock } = router.kernel;
    const limit = clock.cycles + clock.toCycles(BOOT_NS);
    router.runUntil(() => router.state === 'running', limit, clock.toCycles(STEP_NS));
    if (router.state !== 'running') {
      throw new BootError(`the router did not come up within ${BOOT_NS / 1e9} s of its time (it is in "${router.state}"); its console says:\n${router.consoleText()}`);
    }
  }

  private setStage(scenario: Scenario, random: Random, durationNs: number): void {
    const { clock } = this.router.kernel;
    this.start = clock.cycles;
    this.breaksAtStart = this.pageBreaks();
    this.end = this.start + clock.toCycles(durationNs);
    this.attackStart = this.start + Math.min(...[...scenario.attack, ...scenario.fault].map(({ start }) => clock.toCycles(start)), this.end - this.start);
    this.timeout = clock.toCycles(scenario.prober?.timeout ?? DEFAULT_TIMEOUT_NS);
    if (scenario.prober) this.prober = this.client(scenario.prober, 'prober', 0, 0, random.fork(100));
    this.probePeriod = this.prober?.plan.period ?? 0;
    scenario.load.forEach((load, i) => this.loads.push(this.client(load, load.name, LOAD_SPREAD, load.start, random.fork(200 + i))));
    if (scenario.injection) this.inject(scenario.injection);
    if (scenario.fault.length > 0) this.injectFaults(planFaults(scenario), random.fork(400));
    scenario.attack.forEach((attack, i) => this.attackers.push(this.attacker(attack, scenario.folder, FIRST_ATTACK_PORT + i, random.fork(300 + i))));
  }

  /** What a capture holds takes the place of the attack, and its answers that of the probes'. */
  private inject(plan: InjectionPlan): void {
    const { kernel } = this.router;
    const { clock, events, log } = kernel;
    this.injector = new Injector({ clock, events, log, hosts: this.topology.hosts, routerMac: kernel.net?.interface('lan0')?.mac ?? 0 }, plan, this.start);
    this.attackStart = this.start + clock.toCycles(plan.injections[0].at);
  }

  private injectFaults(plans: readonly FaultPlan[], random: Random): void {
    const { kernel } = this.router;
    this.faults = new FaultInjector(kernel, random, plans, this.start);
    kernel.injection = this.faults;
  }

  /** The first living process of a daemon under test, whatever its program is called. */
  daemonProcess(): Process | undefined {
    const { lifecycle, kernel } = this.router;
    const pids = lifecycle.daemonStatus().filter(({ name }) => this.daemons.includes(name)).map(({ pid }) => pid);
    return pids.map((pid) => kernel.processes.get(pid)).find((process) => process?.state === 'alive');
  }

  /** The way from the host a spec names to the service it names. */
  channel(spec: LoadSpec | ProberSpec | AttackSpec, localPort: number): Channel {
    const { broadcast, serverPort, sendsBy, hearsBy } = protocol(spec.protocol);
    const { console, log, clock, events } = this.router.kernel;
    if (sendsBy === 'console') return new ConsoleChannel(console, log, null);
    const host = this.topology.hosts.get(spec.host ?? '');
    if (!host) throw new BootError(`no host is named "${spec.host}"`);
    if (sendsBy === 'ip') return new IpChannel(host, ip(onLan(host.address) ? ROUTER.lan0 : ROUTER.wan0));
    if (sendsBy === 'tcp') return new TcpChannel({ clock, events }, host, ip(onLan(host.address) ? ROUTER.lan0 : ROUTER.wan0), spec.port ?? serverPort, spec.protocol);
    const server = broadcast ? LIMITED_BROADCAST : ip(onLan(host.address) ? ROUTER.lan0 : ROUTER.wan0);
    const channel = new UdpChannel(host, localPort, server, spec.port ?? serverPort);
    return hearsBy === 'console' ? new ConsoleChannel(console, log, channel) : channel;
  }

  private client(spec: LoadSpec | ProberSpec, name: string, spread: number, startNs: number, random: Random): Client {
    const { kernel } = this.router;
    const { clock } = kernel;
    const start = this.start + clock.toCycles(startNs);
    const period = clock.toCycles(MILLIHERTZ_NS / spec.rate);
    return new Client({ clock, events: kernel.events, random }, this.channel(spec, protocol(spec.protocol).clientPort), {
      name, protocol: spec.protocol, names: spec.names ?? [], period, spread, start, end: this.end, timeout: this.timeout,
    });
  }

  private attacker(spec: AttackSpec, folder: string, localPort: number, random: Random): Attacker {
    const { kernel } = this.router;
    const { clock } = kernel;
    const file = 'capture' in spec.message ? spec.message.capture : null;
    const captured = file === null ? null : capturedMessages(join(folder, file), spec.port ?? serverPort(spec.protocol));
    const messages = captured ? captured.map(({ bytes }) => bytes) : attackMessages(spec, folder, random);
    return new Attacker({ clock, events: kernel.events, log: kernel.log, random }, this.channel(spec, localPort), {
      protocol: spec.protocol, messages, forms: spec.forms, count: spec.count,
      start: this.start + clock.toCycles(spec.start), period: clock.toCycles(spec.every), jitter: spec.jitter,
      file, frames: captured?.map(({ frame }) => frame) ?? [], field: spec.field ?? null,
    });
  }

  /** Runs to virtual time `until` or to the end, whichever comes first. False when the end is reached. */
  run(until = this.end): boolean {
    this.router.run(Math.min(until, this.end));
    return this.router.kernel.clock.cycles < this.end;
  }

  /** How much of the run is done, 0 to 1. */
  get progress(): number {
    return Math.min(1, (this.router.kernel.clock.cycles - this.start) / (this.end - this.start));
  }

  /** What attackers sent, for finding out whose message did the harm. */
  get attackSources(): AttackSource[] {
    return [...this.attackers, ...(this.injector ? [this.injector] : [])].map((sender) => sender.source);
  }

  private pageBreaks(): { faults: number; copies: number } {
    const { ledger } = this.router.kernel;
    return { faults: ledger.get('fault.cow'), copies: ledger.get('cow.copy') };
  }

  private breaksSinceStart(): RunRecord['breaks'] {
    const now = this.pageBreaks();
    const { rates } = this.router.kernel.meter;
    const faults = now.faults - this.breaksAtStart.faults;
    const copies = now.copies - this.breaksAtStart.copies;
    return { faults, copies, cycles: faults * (rates['fault.cow'] ?? 0) + copies * PAGE_SIZE * (rates['copy.bytes'] ?? 0) };
  }

  record(): RunRecord {
    const { kernel } = this.router;
    const attacks = this.attackSources.flatMap(({ record }) => record);
    const injected = this.faults && this.faults.strikes.map(({ t }) => t);
    const wire = wireMessages(this.topology.captures, OBSERVED_PORTS);
    const serves = (port: number): boolean => wire.some(({ fromRouter, sourcePort }) => fromRouter && sourcePort === port);
    return {
      hz: kernel.clock.hz, start: this.start, attackStart: firstHarm([...attacks.map(({ sent }) => sent), ...(this.faults ? [this.faults.begin] : [])], this.attackStart), end: this.end, probePeriod: this.probePeriod, timeout: this.timeout,
      daemons: this.daemons,
      entries: kernel.log.since(),
      probes: this.prober?.record ?? this.injector?.record ?? { sent: [], answered: [], lengths: [] },
      loads: this.loads.map((load) => load.record),
      breaks: this.breaksSinceStart(),
      attacks,
      injected,
      dns: serves(DNS_PORT) ? observeDns(wire) : null,
      dhcp: serves(DHCP_PORT) ? observeDhcp(wire) : null,
    };
  }
}
snapshotClass('Simulation', Simulation);

/**
 * Programs that do not choose a store themselves get the arm's; arms without rollback take the calls away. Images are
 * summed up only if the scenario says so: a sum reads every byte, whatever the store, and hides what the stores differ in. `shuntbox measure` shows its price.
 */
function checkpointOptions({ store, transparent }: Arm, { checksum, daemons, guard }: Pick<Scenario, 'checksum' | 'daemons' | 'guard'>): RouterOptions['checkpoint'] {
  if (store === null) return null;
  const underTest = daemons.filter((daemon) => daemon.underTest).map(({ program }) => posix.basename(program).slice(0, COMM_LENGTH));
  return { store, checksum, guard: transparent ? { daemons: underTest, intervalNs: guard.interval, generationNs: guard.generation, watchdogNs: guard.watchdog, strikes: guard.strikes, repeats: guard.repeats } : null };
}

/** TASK_COMM_LEN less its NUL. */
const COMM_LENGTH = 15;

const programFiles = ({ programs }: Scenario): Record<string, Uint8Array> => Object.fromEntries(Object.entries(programs ?? {}).map(([path, { bytes }]) => [path, bytes]));

/** What an attack sends, before it is given its forms; `random` is the attacker's own stream. */
export function attackMessages(spec: AttackSpec, folder: string, random: Random): Uint8Array[] {
  if ('capture' in spec.message) return capturedMessages(join(folder, spec.message.capture), spec.port ?? serverPort(spec.protocol)).map(({ bytes }) => bytes);
  return [generators[spec.message.generator](random.fork(1))].flat();
}

/**
 * An attack begins with its first message, which jitter may hold back; a fault when it is armed, so that the request in hand at its strike counts as
 * lost to it. `nominal` without any.
 */
const firstHarm = (times: readonly number[], nominal: number): number => (times.length === 0 ? nominal : times.reduce((first, one) => Math.min(first, one), Infinity));

const serverPort = (name: ProtocolName): number => protocol(name).serverPort;
const onLan = (address: number): boolean => address >>> 8 === ip(ROUTER.lan0) >>> 8;
