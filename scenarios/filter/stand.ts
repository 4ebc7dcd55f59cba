import { Savepoint, snapshotClass, textOf, type LogEntry } from '../../emulator/base/index.js';
import { IP_UDP, readEthernet, readIpv4, readUdp } from '../../emulator/net/index.js';
import { FAULT_SIGNALS } from '../../emulator/router/lifecycle/lifecycle.js';
import type { Channel, Receiver } from '../actors/channel.js';
import { protocol } from '../protocols/index.js';
import type { AttackSpec } from '../schema.js';
import type { Simulation } from '../simulation.js';
import type { Form } from './form.js';

/** A port no attacker of a scenario sends from. */
const STAND_PORT = 45_000;
/** Virtual time for the first exchange: address resolution, and an answer from outside. */
const WARM_UP_NS = 3e9;
const SIDE_ROUTER = 0;

export interface Presented {
  /** fault: a signal that killed the daemon or sent it back, or an end of its own. hang: it is still at it when the time is up. */
  outcome: 'dropped' | 'answered' | 'silent' | 'fault' | 'hang';
  signal: number;
  /** Processor cycles the daemon took. */
  cycles: number;
}

/** Binds the port; what comes back is seen on the wire. */
class Nobody implements Receiver {
  onMessage(): void {}
}
snapshotClass('filter.Nobody', Nobody);

/**
 * A router that is put back to the same moment before each message, so that no message knows of another. The simulation must be quiet: no
 * load, no prober, no attack under way.
 */
export class Stand {
  readonly simulation: Simulation;
  private readonly channel: Channel;
  readonly serverPort: number;
  private point!: Savepoint;
  private entries = 0;
  /** Of the daemon at the marked moment; 0 = there was none. */
  private pid = 0;
  private frames: number[] = [];

  constructor(simulation: Simulation, spec: AttackSpec) {
    this.simulation = simulation;
    this.serverPort = spec.port ?? protocol(spec.protocol).serverPort;
    this.channel = simulation.channel(spec, STAND_PORT);
    this.channel.open(new Nobody());
    this.mark();
  }

  /** An exchange as a client would have it, so that addresses are resolved and code is paged in. */
  warmUp(bytes: Uint8Array): void {
    this.channel.send(bytes);
    this.wait(WARM_UP_NS);
    this.mark();
  }

  /** The present moment becomes the one that messages find. */
  mark(): void {
    this.entries = this.simulation.router.log.length;
    this.pid = this.simulation.daemonProcess()?.pid ?? 0;
    this.frames = this.simulation.topology.captures.map((capture) => capture.frames.length);
    this.point = new Savepoint(this.simulation);
  }

  /** To the marked moment. */
  back(): void {
    this.point.restore();
  }

  /** Whether a daemon under test is there to be sent to. */
  get alive(): boolean {
    return this.pid !== 0;
  }

  /** From the marked moment: the form is sent `times` times, each with `windowNs` of virtual time, until something happens to the daemon. */
  present(form: Form, windowNs: number, times = 1): Presented {
    this.point.restore();
    return this.send(form, windowNs, times);
  }

  /** The same from where the router is now. */
  send(form: Form, windowNs: number, times = 1): Presented {
    const before = this.cpu();
    for (let i = 0; i < times; i++) {
      this.channel.send(form.bytes.slice(), form.sourcePort);
      this.wait(windowNs);
      const signal = this.fault();
      if (signal !== null) return { outcome: 'fault', signal, cycles: this.cpu() - before };
      if (this.daemon()?.leader?.state !== 'blocked') return { outcome: 'hang', signal: 0, cycles: this.cpu() - before };
    }
    return { outcome: this.dropped() ? 'dropped' : this.answered() ? 'answered' : 'silent', signal: 0, cycles: this.cpu() - before };
  }

  private wait(ns: number): void {
    const { clock } = this.simulation.router.kernel;
    this.simulation.router.run(clock.cycles + clock.toCycles(ns));
  }

  private daemon(): ReturnType<Simulation['daemonProcess']> {
    return this.simulation.router.kernel.processes.get(this.pid);
  }

  private cpu(): number {
    const usage = this.daemon()?.usage;
    return usage ? usage.user + usage.system : 0;
  }

  private since(): readonly LogEntry[] {
    return this.simulation.router.log.since(this.entries);
  }

  private isOurs(entry: LogEntry): boolean {
    return entry.pid === this.pid;
  }

  /** Signal of the first fault; 0 when the daemon ended by itself; null when it did neither. */
  private fault(): number | null {
    for (const entry of this.since()) {
      if (!this.isOurs(entry)) continue;
      const fatal = entry.what === 'process.fatal' || entry.what === 'checkpoint.thaw' || (entry.what === 'signal.deliver' && FAULT_SIGNALS.has(Number(entry.signo)));
      if (fatal) return Number(entry.signo);
      if (entry.what === 'process.exit') return 0;
    }
    return null;
  }

  private dropped(): boolean {
    return this.since().some((entry) => entry.what === 'console.line' && this.simulation.daemons.some((name) => textOf(entry.text).startsWith(`${name}: dropped `)));
  }

  private answered(): boolean {
    return this.simulation.topology.captures.some((capture, i) => capture.frames.slice(this.frames[i]).some(({ side, frame }) => side === SIDE_ROUTER && this.isAnswer(frame)));
  }

  private isAnswer(bytes: Uint8Array): boolean {
    const frame = readEthernet(bytes);
    const datagram = typeof frame === 'string' ? frame : readIpv4(frame.payload);
    if (typeof datagram === 'string' || datagram.protocol !== IP_UDP) return false;
    const udp = readUdp(datagram.payload, datagram.source, datagram.destination);
    return typeof udp !== 'string' && udp.sourcePort === this.serverPort;
  }
}
