import { createSocket, type Socket as UdpSocket, type RemoteInfo } from 'node:dgram';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { formatIp } from '../../emulator/net/index.js';
import type { Forward } from './forward.js';
import type { Input } from './input.js';
import type { LiveMachine, LiveSink } from './live-machine.js';

const LOOPBACK = '127.0.0.1';
/** Virtual time goes on in steps of this, so that what comes in waits no longer. */
const STEP_NS = 2e6;
/** Wall time, ms: the longest nap when nothing happens, and how far the router may fall behind before it is no longer expected to catch up. */
const NAP_MS = 5;
const BEHIND_MS = 50;
/** Bytes waiting on one connection at which its sender is held: into the router, and out of it. */
const HIGH = 256 * 1024;

/** An input before it is known when it will enter. */
type Arrival = Input extends infer One ? (One extends { until: number } ? Omit<One, 'until'> : never) : never;

/**
 * Moves a LiveMachine at the pace of wall time, and joins it to sockets of this computer, on the loopback address only. All that
 * enters goes through `enter`, in the order it came.
 */
export class Session implements LiveSink {
  private machine: LiveMachine | null = null;
  private readonly forwards: readonly Forward[];
  private readonly onInput: (input: Input) => void;
  private readonly onOutput: (bytes: Uint8Array, stream: string) => void;
  private readonly arrivals: Arrival[] = [];
  private readonly sockets = new Map<number, Socket>();
  private readonly replies = new Map<number, (bytes: Uint8Array) => void>();
  private readonly held = new Set<number>();
  private readonly servers: (Server | UdpSocket)[] = [];
  private nextId = 1;
  private wake: (() => void) | null = null;
  private stopped = false;
  /** The last time the machine was asked to run to. */
  until = 0;

  constructor(forwards: readonly Forward[], onInput: (input: Input) => void, onOutput: (bytes: Uint8Array, stream: string) => void) {
    this.forwards = forwards;
    this.onInput = onInput;
    this.onOutput = onOutput;
  }

  /** Listen for every forward; "tcp 127.0.0.1:8080 -> 192.168.1.1:80" for each. Rejects when a port is taken. */
  async listen(): Promise<string[]> {
    const lines: string[] = [];
    for (const [index, forward] of this.forwards.entries()) {
      const port = forward.protocol === 'tcp' ? await this.listenTcp(index, forward) : await this.listenUdp(index, forward);
      lines.push(`${forward.protocol} ${LOOPBACK}:${port} -> ${formatIp(forward.address)}:${forward.port}`);
    }
    return lines;
  }

  private listenTcp(index: number, { hostPort }: Forward): Promise<number> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.accepted(index, socket));
    this.servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(hostPort, LOOPBACK, () => resolve((server.address() as AddressInfo).port));
    });
  }

  private accepted(forward: number, socket: Socket): void {
    const id = this.nextId++;
    this.sockets.set(id, socket);
    this.enter({ kind: 'open', id, forward });
    socket.on('data', (bytes: Buffer) => {
      this.enter({ kind: 'data', id, bytes: new Uint8Array(bytes) });
      if ((this.machine?.outside.backlog(id) ?? 0) > HIGH) socket.pause();
    });
    socket.on('end', () => this.enter({ kind: 'end', id }));
    socket.on('drain', () => this.resume(id));
    socket.on('error', () => undefined);
    socket.on('close', (failed: boolean) => {
      if (this.sockets.delete(id) && (failed || !socket.writableFinished)) this.enter({ kind: 'abort', id });
      this.held.delete(id);
    });
  }

  private resume(id: number): void {
    if (this.held.delete(id)) this.enter({ kind: 'resume', id });
  }

  private listenUdp(index: number, { hostPort }: Forward): Promise<number> {
    const server = createSocket('udp4');
    const ids = new Map<string, number>();
    server.on('message', (bytes: Buffer, { address, port }: RemoteInfo) => {
      const id = ids.get(`${address}:${port}`) ?? this.nextId++;
      ids.set(`${address}:${port}`, id);
      this.replies.set(id, (reply) => server.send(reply, port, address));
      this.enter({ kind: 'datagram', id, forward: index, bytes: new Uint8Array(bytes) });
    });
    this.servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.bind(hostPort, LOOPBACK, () => resolve(server.address().port));
    });
  }

  /** Something came from this computer. It enters when the machine next stands still. */
  enter(arrival: Arrival): void {
    this.arrivals.push(arrival);
    this.wake?.();
  }

  onData(id: number, bytes: Uint8Array): void {
    const socket = this.sockets.get(id);
    if (!socket || socket.destroyed) return;
    if (!socket.write(bytes) && socket.writableLength > HIGH && !this.held.has(id)) {
      this.held.add(id);
      this.enter({ kind: 'pause', id });
    }
  }

  onEnd(id: number): void {
    this.sockets.get(id)?.end();
  }

  onGone(id: number, errno: number): void {
    const socket = this.sockets.get(id);
    this.sockets.delete(id);
    if (errno !== 0) socket?.resetAndDestroy();
    else if (socket && !socket.writableEnded) socket.end();
  }

  onDatagram(id: number, bytes: Uint8Array): void {
    this.replies.get(id)?.(bytes);
  }

  onConsole(bytes: Uint8Array, stream: string): void {
    this.onOutput(bytes, stream);
  }

  /** Run until stop() or until the router halts. */
  async run(machine: LiveMachine): Promise<void> {
    this.machine = machine;
    const { clock } = machine.router.kernel;
    const step = clock.toCycles(STEP_NS);
    this.until = machine.cycles;
    let base = performance.now() - clock.toNanoseconds(machine.cycles) / 1e6;
    while (!this.stopped && machine.router.state !== 'halted') {
      this.applyAll(machine);
      const wall = performance.now() - base;
      const present = clock.toNanoseconds(machine.cycles) / 1e6;
      if (wall - present > BEHIND_MS) base += wall - present - BEHIND_MS;
      const target = Math.floor(Math.min(clock.toCycles(wall * 1e6), machine.cycles + step));
      if (target > machine.cycles) {
        this.until = target;
        machine.run(target);
        this.letFlow(machine);
      }
      await this.breathe(clock.toNanoseconds(machine.cycles) / 1e6 < performance.now() - base - 1 ? 0 : NAP_MS);
    }
    for (const server of this.servers) server.close();
    for (const socket of this.sockets.values()) socket.destroy();
  }

  private applyAll(machine: LiveMachine): void {
    for (const arrival of this.arrivals.splice(0)) {
      const input: Input = { until: this.until, ...arrival };
      this.onInput(input);
      machine.apply(input);
    }
  }

  /** Senders that were held go on when the router has taken what waited. */
  private letFlow(machine: LiveMachine): void {
    for (const [id, socket] of this.sockets) if (socket.isPaused() && machine.outside.backlog(id) < HIGH / 2) socket.resume();
  }

  /** Let this computer's events in; wait up to `ms` for one. */
  private breathe(ms: number): Promise<void> {
    if (ms === 0) return new Promise((resolve) => { setImmediate(resolve); });
    return new Promise((resolve) => {
      const done = (): void => {
        this.wake = null;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.wake = (): void => {
        clearTimeout(timer);
        setImmediate(done);
      };
    });
  }

  stop(): void {
    this.stopped = true;
    this.wake?.();
  }
}
