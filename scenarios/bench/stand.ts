import { readFileSync } from 'node:fs';
import { Random } from '../../emulator/base/index.js';
import { Cable, Host, ip, mac } from '../../emulator/net/index.js';
import { Router, type RouterOptions } from '../../emulator/router/router.js';
import { ROUTER } from '../topology.js';
import type { Outcome } from './workload.js';

/** Virtual seconds after which something has gone wrong. */
const PATIENCE = 3600;
/** Looks a virtual second: how exactly the end of something is known. */
const LOOKS = 1000;
export const DESK = '192.168.1.10';
const NETBENCH = '/bin/netbench';

/** A router, started, and a computer on its LAN. The cable has no delay: what is measured is the two ends. */
export class Stand {
  readonly router: Router;
  readonly cable: Cable;
  console = '';

  constructor(options: Partial<RouterOptions> = {}) {
    this.router = Router.create({ image: null, seed: 1, checkpoint: null, ...options });
    const { clock, events } = this.router.kernel;
    this.cable = new Cable(clock, events);
    this.router.attach('lan0', this.cable);
  }

  /** With the guest program `netbench` of the benchmark in its ramdisk. */
  static withNetbench(binary: string): Stand {
    const stand = new Stand({ files: { [NETBENCH]: readFileSync(binary) }, executables: [NETBENCH] });
    stand.powerOn();
    return stand;
  }

  host(): Host {
    const { clock, events } = this.router.kernel;
    return new Host(clock, events, new Random(2), this.cable, 1, { name: 'desk', mac: mac('02:00:00:00:00:10'), address: ip(DESK), prefix: 24, gateway: ip(ROUTER.lan0) });
  }

  /** Without an init of its own: the benchmark starts what it wants. */
  powerOn(): void {
    const { kernel } = this.router;
    this.router.powerOn();
    kernel.console.isTerminal = false;
    kernel.console.sink = (bytes) => { this.console += Buffer.from(bytes).toString('latin1'); };
    kernel.net?.configure('lo', ip('127.0.0.1'), 8);
    kernel.net?.configure('lan0', ip(ROUTER.lan0), 24);
  }

  /** Start a program and wait until it has said `word`. */
  start(argv: readonly string[], word: string): void {
    const { console } = this.router.kernel;
    this.router.spawn(argv[0], [...argv], { stdio: [console.openFile(), console.openFile(), console.openFile()] });
    this.until(() => this.console.includes(word), `${argv[0]} says ${word}`);
  }

  netbench(...argv: (string | number)[]): void {
    this.start([NETBENCH, ...argv.map(String)], 'ready');
  }

  /** Start a guest that runs to its end; says whether it has. */
  begin(...argv: (string | number)[]): () => boolean {
    const child = this.router.spawn(NETBENCH, [NETBENCH, ...argv.map(String)]);
    return () => child.state !== 'alive';
  }

  until(holds: () => boolean, what: string): void {
    const { clock } = this.router.kernel;
    if (!this.router.runUntil(holds, clock.cycles + PATIENCE * clock.hz, clock.hz / LOOKS)) throw new Error(`${what}: that never came; the console: ${this.console}`);
  }

  /** Work, counted from now until `holds`. */
  work(begin: () => void, holds: () => boolean, units: number, output: string): Outcome {
    const { kernel } = this.router;
    const before = { instructions: kernel.retired, cycles: kernel.clock.cycles };
    begin();
    this.until(holds, output);
    return { instructions: kernel.retired - before.instructions, virtualSeconds: (kernel.clock.cycles - before.cycles) / kernel.clock.hz, units, output };
  }
}
