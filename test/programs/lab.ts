import { Cable, Host, Router, type Link } from '../../emulator/index.js';
import { Random } from '../../emulator/base/index.js';
import { defaultGuard, Store } from '../../emulator/checkpoint/index.js';
import type { GuardOptions, Process } from '../../emulator/kernel/index.js';
import { ip, mac, type HostHandler, type Ip } from '../../emulator/net/index.js';
import { Pty, ptys } from '../../emulator/kernel/tty/pty.js';
import { PtySlave } from '../../emulator/kernel/tty/pty-file.js';
import { HostTree } from '../../scenarios/host-tree.js';

export const ROUTER = '192.168.1.1';
export const CLIENT = '192.168.1.10';

export interface LabOptions {
  /** Files written over the packages' own. */
  files?: Record<string, string | Uint8Array>;
  /** Both ports of the router on one cable: a server on lan0 and a client on wan0. */
  looped?: boolean;
  ram?: number;
  strace?: boolean;
  /** Programs that are frozen and thawed transparently. */
  guard?: Partial<GuardOptions> & { daemons: string[] };
}

const passwd = 'root:x:0:0:root:/root:/bin/sh\ndnsmasq:x:101:65534::/var/lib/misc:/usr/sbin/nologin\nntpd:x:102:102::/run/openntpd:/usr/sbin/nologin\n'
  + 'ntpsec:x:103:103::/nonexistent:/usr/sbin/nologin\ntftp:x:104:104::/srv/tftp:/usr/sbin/nologin\nDebian-snmp:x:105:105::/var/lib/snmp:/bin/false\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n'
  + 'radvd:x:106:65534::/run/radvd:/usr/sbin/nologin\nbird:x:107:107::/run/bird:/usr/sbin/nologin\nfrr:x:108:108::/nonexistent:/usr/sbin/nologin\n';
const group = 'root:x:0:\ntty:x:5:\nntpd:x:102:\nntpsec:x:103:\ntftp:x:104:\nDebian-snmp:x:105:\nbird:x:107:\nfrr:x:108:\nfrrvty:x:109:frr\nnogroup:x:65534:\n';

/** A router whose root filesystem is a folder of unpacked packages, and a computer on its lan0. */
export class Lab {
  readonly router: Router;
  readonly client: Host | null;
  /** What daemons wrote to the console. */
  console = '';
  private captured = '';

  constructor(sysroot: string, options: LabOptions = {}) {
    const files = { '/etc/passwd': passwd, '/etc/group': group, '/etc/hosts': '127.0.0.1 localhost\n', '/run/.keep': '', '/var/run/.keep': '', '/var/lib/misc/.keep': '', '/var/log/.keep': '', ...options.files };
    const executables = Object.keys(files).filter((path) => /^\/(usr\/)?s?bin\/|\.sh$/.test(path));
    const checkpoint = options.guard ? { store: Store.share, guard: { ...defaultGuard, ...options.guard } } : {};
    this.router = Router.create({ image: null, flash: new HostTree(sysroot), files, executables, ram: options.ram, checkpoint });
    const { clock, events } = this.router.kernel;
    const cable = new Cable(clock, events, clock.toCycles(100_000));
    this.router.attach('lan0', cable);
    if (options.looped) this.router.attach('wan0', otherEnd(cable));
    this.client = options.looped ? null : new Host(clock, events, new Random(7), cable, 1, { name: 'client', mac: mac('02:00:00:00:00:10'), address: ip(CLIENT), prefix: 24, gateway: ip(ROUTER) });
    this.router.powerOn();
    const { kernel } = this.router;
    kernel.console.isTerminal = false;
    kernel.console.endInput();
    kernel.console.sink = (bytes, stream) => {
      const text = Buffer.from(bytes).toString('latin1');
      if (stream === 'stdout') this.captured += text;
      else this.console += text;
    };
    if (options.strace) kernel.traceTo((text) => process.stderr.write(text));
    kernel.net?.configure('lan0', ip(ROUTER), 24);
  }

  /** Start a daemon in the background. */
  start(...argv: string[]): Process {
    const { kernel } = this.router;
    const stdio = [kernel.console.openFile('stdin'), kernel.console.openFile('console'), kernel.console.openFile('console')];
    return this.router.spawn(argv[0], argv, { stdio: stdio as never });
  }

  /** Run a program to its end; what it wrote, both streams. */
  run(...argv: string[]): string {
    const { kernel } = this.router;
    this.captured = '';
    const out = kernel.console.openFile('stdout');
    const child = this.router.spawn(argv[0], argv, { stdio: [kernel.console.openFile('stdin'), out, out] });
    if (!this.until(() => child.state !== 'alive', 120)) throw new Error(`${argv.join(' ')} did not end; it wrote:\n${this.captured}`);
    const text = this.captured;
    this.captured = '';
    return text;
  }

  /** A program on a terminal of its own, as after a login. */
  terminal(...argv: string[]): Terminal {
    const { kernel } = this.router;
    const pty = new Pty(kernel, 0);
    pty.locked = false;
    ptys(kernel).set(0, pty);
    const slave = new PtySlave(pty, 2, null);
    const process = this.router.spawn(argv[0], argv, { stdio: [slave, slave, slave] });
    pty.takeSession(process);
    return new Terminal(this, pty);
  }

  /** A line for the router's shell. */
  sh(line: string): string {
    return this.run('/bin/dash', '-c', line);
  }

  /** Let virtual time pass until `holds()`; false when `seconds` were not enough. */
  until(holds: () => boolean, seconds: number): boolean {
    const { clock } = this.router.kernel;
    const limit = clock.cycles + seconds * clock.hz;
    while (!holds()) {
      if (clock.cycles >= limit) return false;
      this.router.run(Math.min(limit, clock.cycles + clock.hz / 100));
    }
    return true;
  }

  sleep(seconds: number): void {
    this.until(() => false, seconds);
  }

  /** Send one datagram from the client and give back the answers that come within `seconds`, the first `count` of them. */
  ask(port: number, payload: Uint8Array, count = 1, seconds = 10): Answer[] {
    const { client } = this;
    if (!client) throw new Error('this laboratory has no client');
    const answers: Answer[] = [];
    const handler: HostHandler = {
      onDatagram: (_host, localPort, source, sourcePort, bytes) => void answers.push({ localPort, source, sourcePort, bytes: bytes.slice() }),
      onError: (_host, _port, errno) => { throw new Error(`port ${port}: error ${errno}; the console:\n${this.console}`); },
    };
    const local = client.bind(0, handler);
    client.send(local, ip(ROUTER), port, payload);
    this.until(() => answers.length >= count, seconds);
    client.unbind(local);
    return answers;
  }

  unknown(): string[] {
    return this.router.report().unknown.map(({ call, times }) => `${call} (${times})`);
  }
}

export interface Answer {
  localPort: number;
  source: Ip;
  sourcePort: number;
  bytes: Uint8Array;
}

/** The keyboard and the screen at a pseudo-terminal's master. */
export class Terminal {
  screen = '';
  private readonly lab: Lab;
  private readonly pty: Pty;

  constructor(lab: Lab, pty: Pty) {
    this.lab = lab;
    this.pty = pty;
    lab.sleep(2);
  }

  /** Type, and wait until `text` appears after that. */
  type(keys: string, text = ''): void {
    this.pty.discipline.receive(Buffer.from(keys, 'latin1'));
    const from = this.screen.length;
    const seen = (): boolean => {
      this.screen += Buffer.from(this.pty.takeOutput(65_536)).toString('latin1');
      return text !== '' && this.screen.slice(from).includes(text);
    };
    if (!this.lab.until(seen, text === '' ? 1 : 20) && text !== '') throw new Error(`${JSON.stringify(text)} does not appear after ${JSON.stringify(keys)}; the screen:\n${this.screen}`);
  }
}

/** A cable seen from its other end: what is attached at side 0 sits at side 1. */
function otherEnd(cable: Cable): Link {
  return { attach: (_side, port) => cable.attach(1, port), send: (_side, frame) => cable.send(1, frame) };
}
