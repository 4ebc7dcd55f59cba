import type { Hash } from 'node:crypto';
import { Random } from '../../emulator/base/index.js';
import { defaultGuard, Store } from '../../emulator/checkpoint/index.js';
import { Cable, ip, mac } from '../../emulator/net/index.js';
import { Router, type RouterOptions } from '../../emulator/router/router.js';
import { ROUTER } from '../topology.js';
import type { Forward } from './forward.js';
import { sha256, type Input, type Outcome } from './input.js';
import { OutsideHost, type OutsideSink } from './outside-host.js';

export interface LiveOptions extends Pick<RouterOptions, 'profile' | 'ram' | 'image' | 'flash' | 'seed' | 'files' | 'executables'> {
  /** Programs and their arguments, started one after the other; without any, and with a firmware that has one, init. */
  daemons: readonly (readonly string[])[];
  /** A program on the console; empty: none. */
  shell: readonly string[];
  /** Names of daemons that the router freezes and thaws by itself. */
  guard: readonly string[];
  guardRepeats?: number;
  forwards: readonly Forward[];
}

/** Where the outside stands on the router's LAN. */
const OUTSIDE = '192.168.1.254';
const PREFIX = 24;
const WIRE_NS = 50_000;

export interface LiveSink extends OutsideSink {
  onConsole(bytes: Uint8Array, stream: string): void;
}

/**
 * A router with an emulated host on its LAN through which programs of this computer reach it. It is moved by `run` and `apply` alone: the same
 * calls give the same event log and the same bytes out, which is what a recording repeats.
 */
export class LiveMachine {
  readonly router: Router;
  readonly outside: OutsideHost;
  private readonly forwards: readonly Forward[];
  private readonly output: Hash = sha256();
  private inputs = 0;
  private readonly cable: Cable;

  constructor(options: LiveOptions, sink: LiveSink, strace?: (line: string) => void) {
    const { forwards, daemons, shell, guard, guardRepeats, ...router } = options;
    this.router = Router.create({ ...router, checkpoint: guard.length > 0 ? { store: Store.share, guard: { ...defaultGuard, repeats: guardRepeats ?? 0, daemons: [...guard] } } : {} });
    this.forwards = forwards;
    const { clock, events } = this.router.kernel;
    this.cable = new Cable(clock, events, clock.toCycles(WIRE_NS));
    this.router.attach('lan0', this.cable);
    this.outside = new OutsideHost(clock, events, new Random(options.seed ?? 1).fork(77), this.cable, 1, {
      name: 'outside', mac: mac('02:00:00:00:01:fe'), address: ip(OUTSIDE), prefix: PREFIX, gateway: ip(ROUTER.lan0),
    });
    if (strace) this.router.kernel.traceTo(strace);
    this.start(daemons, shell, sink);
  }

  private start(daemons: LiveOptions['daemons'], shell: readonly string[], sink: LiveSink): void {
    const { router, outside } = this;
    outside.sink = this.counted(sink);
    const { kernel } = router;
    const byInit = daemons.length === 0 && shell.length === 0;
    if (byInit) router.boot();
    else router.powerOn();
    kernel.console.isTerminal = false;
    kernel.console.sink = (bytes, stream): void => {
      this.output.update(bytes);
      sink.onConsole(bytes, stream);
    };
    if (byInit) return;
    kernel.net?.configure('lo', ip('127.0.0.1'), 8);
    kernel.net?.configure('lan0', ip(ROUTER.lan0), PREFIX);
    for (const argv of daemons) this.spawn(argv, 'console');
    if (shell.length > 0) this.spawn(shell, 'stdin');
  }

  private spawn(argv: readonly string[], input: 'console' | 'stdin'): void {
    const { console } = this.router.kernel;
    const files = input === 'stdin' ? [console.openFile('stdin'), console.openFile('stdout'), console.openFile('stderr')] : Array.from({ length: 3 }, () => console.openFile());
    this.router.spawn(argv[0], [...argv], { stdio: [files[0], files[1], files[2]] });
  }

  /** All that leaves the machine goes into one sum. */
  private counted(sink: OutsideSink): OutsideSink {
    const note = (text: string, bytes?: Uint8Array): void => {
      this.output.update(text);
      if (bytes) this.output.update(bytes);
    };
    return {
      onData: (id, bytes): void => { note(`data ${id} ${bytes.length}\n`, bytes); sink.onData(id, bytes); },
      onEnd: (id): void => { note(`end ${id}\n`); sink.onEnd(id); },
      onGone: (id, errno): void => { note(`gone ${id} ${errno}\n`); sink.onGone(id, errno); },
      onDatagram: (id, bytes): void => { note(`datagram ${id} ${bytes.length}\n`, bytes); sink.onDatagram(id, bytes); },
    };
  }

  get cycles(): number {
    return this.router.kernel.clock.cycles;
  }

  run(until: number): void {
    this.router.run(until);
  }

  /** Hand something in, at the present virtual time. */
  apply(input: Input): void {
    const { outside, router, forwards } = this;
    const bytes = 'bytes' in input ? input.bytes.length : undefined;
    this.inputs++;
    router.log.add('live.input', { kind: input.kind, ...('id' in input ? { id: input.id } : {}), ...(bytes === undefined ? {} : { bytes }) });
    switch (input.kind) {
      case 'open': return outside.open(input.id, forwards[input.forward]);
      case 'data': return outside.data(input.id, input.bytes);
      case 'end': return outside.end(input.id);
      case 'abort': return outside.abort(input.id);
      case 'pause': return outside.pause(input.id, true);
      case 'resume': return outside.pause(input.id, false);
      case 'datagram': return outside.datagram(input.id, forwards[input.forward], input.bytes);
      case 'console': return router.kernel.console.feed(input.bytes);
      case 'console-end': return router.kernel.console.endInput();
    }
  }

  /** Digests of everything so far. The machine can go on, but not ask again. */
  outcome(until: number): Outcome {
    return { until, eventLog: sha256().update(this.router.log.lines()).digest('hex'), output: this.output.copy().digest('hex'), inputs: this.inputs };
  }
}
