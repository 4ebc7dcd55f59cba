import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';
import type * as DnsPacket from 'dns-packet';
import { Cable, Host, ip, mac, type HostHandler, type Ip } from '../../emulator/net/index.js';
import { failed } from '../../emulator/base/index.js';
import { OpenFlag, VOP_CLOSE, VOP_READ } from '../../emulator/vfs/index.js';
import { Router, type RouterOptions } from '../../emulator/router/router.js';

/**
 * A package that declares `Buffer` cannot be a module of the test realm, which has that name already; inside a function it can.
 */
function loadCommonJs(path: string): unknown {
  const module = { exports: {} as unknown };
  const require = (name: string): unknown => {
    if (name === 'buffer') return { Buffer };
    return loadCommonJs(name.startsWith('.') ? join(dirname(path), `${name}.js`) : join(process.cwd(), 'node_modules', name, 'index.cjs'));
  };
  compileFunction(readFileSync(path, 'utf8'), ['module', 'exports', 'require'])(module, module.exports, require);
  return module.exports;
}

const packet = loadCommonJs(join(process.cwd(), 'node_modules/dns-packet/index.js')) as typeof DnsPacket;

/** @types/dns-packet lacks the names of response codes. */
export type Answer = DnsPacket.DecodedPacket & { rcode: string };

const image = readFileSync(join(process.cwd(), 'router-firmware/image/router.cpio.gz'));

export const ROUTER = ip('192.168.1.1');
const UPSTREAM = ip('203.0.113.53');
const NETWORK = `interface lo 127.0.0.1/8
interface lan0 192.168.1.1/24
interface wan0 203.0.113.2/24
`;

interface Received {
  from: Ip;
  port: number;
  payload: Buffer;
}

/** The firmware's image booted with some daemons, a client at lan0 and a name server at wan0. */
export class Lab {
  readonly router: Router;
  readonly client: Host;
  readonly server: Host;
  readonly inbox: Received[] = [];
  /** Queries the name server got, oldest first. */
  readonly upstream: { message: DnsPacket.DecodedPacket; port: number }[] = [];
  /** What the name server answers; undefined: nothing. */
  resolve: (name: string, type: string) => Partial<DnsPacket.Packet> | undefined = () => ({ answers: [] });

  constructor(configuration: string, options: Partial<RouterOptions> = {}) {
    this.router = Router.create({ image, files: { '/etc/init.conf': NETWORK + configuration }, checkpoint: { poolFrames: 512 }, ...options });
    const { clock, events, random } = this.router.kernel;
    const cables = [new Cable(clock, events), new Cable(clock, events)];
    this.router.attach('lan0', cables[0]);
    this.router.attach('wan0', cables[1]);
    this.client = new Host(clock, events, random.fork(7), cables[0], 1, { name: 'client', mac: mac('02:00:00:00:01:10'), address: ip('192.168.1.10'), prefix: 24, gateway: ROUTER });
    this.server = new Host(clock, events, random.fork(8), cables[1], 1, { name: 'server', mac: mac('02:00:00:00:02:35'), address: UPSTREAM, prefix: 24 });
    const serve: HostHandler = { onDatagram: (host, _port, from, port, payload) => this.serve(host, from, port, Buffer.from(payload)) };
    const receive: HostHandler = { onDatagram: (_host, _port, from, port, payload) => this.inbox.push({ from, port, payload: Buffer.from(payload) }) };
    this.server.bind(53, serve);
    this.client.bind(5353, receive);
    this.client.bind(68, receive);
    this.router.boot();
    this.run(1);
  }

  private serve(host: Host, from: Ip, port: number, bytes: Buffer): void {
    const message = packet.decode(bytes);
    this.upstream.push({ message, port });
    const [question] = message.questions ?? [];
    const answer = this.resolve(question.name, question.type);
    if (answer) host.send(53, from, port, packet.encode({ type: 'response', id: message.id, questions: message.questions, ...answer }));
  }

  /** Time passes even when nothing is due. */
  run(seconds: number): void {
    const { clock } = this.router.kernel;
    const until = clock.cycles + Math.round(seconds * clock.hz);
    this.router.run(until);
    if (clock.cycles < until) clock.cycles = until;
  }

  /** Send from the client, wait for the first answer. */
  exchange(payload: Uint8Array, port = 53, source = 5353, wait = 0.4): Buffer | null {
    this.inbox.length = 0;
    this.client.send(source, port === 67 && source === 68 ? ip('255.255.255.255') : ROUTER, port, payload);
    const { clock } = this.router.kernel;
    this.router.runUntil(() => this.inbox.length > 0, clock.cycles + Math.round(wait * clock.hz), clock.hz / 1000);
    return this.inbox.shift()?.payload ?? null;
  }

  /** One DNS question; the decoded answer. */
  ask(name: string, type: DnsPacket.RecordType = 'A', edns?: { size?: number; options?: { code: number; data: Buffer }[] }, wait = 0.4): Answer | null {
    const answer = this.exchange(dnsQuery(name, type, edns), 53, 5353, wait);
    return answer && (packet.decode(answer) as Answer);
  }

  /** A file of the ramdisk, from outside. */
  read(path: string): Buffer {
    const { vfs } = this.router.kernel;
    const vnode = vfs.open(vfs.kernelContext(), path, OpenFlag.RDONLY, 0);
    if (failed(vnode)) return Buffer.alloc(0);
    const bytes = VOP_READ(vnode, 0, 65536);
    VOP_CLOSE(vnode);
    return failed(bytes) ? Buffer.alloc(0) : Buffer.from(bytes);
  }

  get console(): string[] {
    return this.router.consoleText().split('\n').slice(0, -1);
  }

  /** Signals that processes of this name died of. */
  deaths(daemon: string): number[] {
    return this.router.log.since().filter((entry) => entry.what === 'process.fatal' && entry.comm === daemon).map((entry) => Number(entry.signo));
  }

  count(what: string): number {
    return this.router.log.since().filter((entry) => entry.what === what).length;
  }
}

let nextId = 1;

export function dnsQuery(name: string, type: DnsPacket.RecordType = 'A', edns?: { size?: number; options?: { code: number; data: Buffer }[] }): Buffer {
  const opt = { type: 'OPT' as const, name: '.' as const, udpPayloadSize: edns?.size ?? 4096, flags: 0, options: edns?.options ?? [] };
  return packet.encode({
    type: 'query', id: nextId++, flags: packet.RECURSION_DESIRED, questions: [{ name, type, class: 'IN' }],
    additionals: edns ? [opt as unknown as DnsPacket.Answer] : [],
  });
}

/** The queries the planted bugs of dnsd are about. */
export const attacks = {
  cookie: (size = 4, name = 'a.test'): Buffer => dnsQuery(name, 'A', { options: [{ code: 10, data: Buffer.alloc(size, 1) }] }),
  loop: (): Buffer => Buffer.from([nextId++ & 255, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]),
  device: (bytes: number): Buffer => dnsQuery('router.lan', 'A', { options: [{ code: 65074, data: Buffer.concat([Buffer.alloc(bytes - 4, 0x61), Buffer.from([0, 0xe1, 0xf5, 5])]) }] }),
  leak: (): Buffer => dnsQuery('router.lan', 'A', { options: [{ code: 8, data: Buffer.from([0, 1, 24, 0, 10, 0, nextId & 255]) }] }),
};

/** A DHCP message of a client with this hardware address; options as [code, data]. */
export function dhcpMessage(client: number, type: number, options: [number, Uint8Array][] = [], ciaddr: Ip = 0): Buffer {
  const fixed = Buffer.alloc(240);
  fixed.set([1, 1, 6, 0, 0x12, 0x34, 0x56, client], 0);
  fixed.writeUInt32BE(ciaddr >>> 0, 12);
  fixed.set([2, 0, 0, 0, 0, client], 28);
  fixed.writeUInt32BE(0x63825363, 236);
  const all: [number, Uint8Array][] = [[53, Buffer.from([type])], ...options];
  return Buffer.concat([fixed, ...all.map(([code, data]) => Buffer.concat([Buffer.from([code, data.length]), data])), Buffer.from([255])]);
}

export function dhcpOptions(message: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = 240; at + 1 < message.length && message[at] !== 255; at += 2 + message[at + 1]) options.set(message[at], message.subarray(at + 2, at + 2 + message[at + 1]));
  return options;
}

export function address(text: string): Buffer {
  return Buffer.from(text.split('.').map(Number));
}
