import { connect } from 'node:net';
import { LiveMachine } from '../live/live-machine.js';
import { parseForward, type Forward } from '../live/forward.js';
import { Session } from '../live/pace.js';
import { ROUTER } from '../topology.js';
import { readFileSync } from 'node:fs';
import type { Outcome, Run, Workload } from './workload.js';

const MB = 1e6;
const PORT = 7;
const PROGRAM = '/bin/netbench';

/** A live session whose router serves streams, with the port of this computer that leads there. */
async function serve(binary: string, image: Uint8Array, command: readonly string[]): Promise<{ machine: LiveMachine; session: Session; port: number; said: () => string }> {
  const forwards = [parseForward(`tcp:0:${PORT}`, ROUTER.lan0) as Forward];
  let console = '';
  const session = new Session(forwards, () => undefined, (bytes) => { console += Buffer.from(bytes).toString('latin1'); });
  const machine = new LiveMachine({
    image, seed: 1, files: { [PROGRAM]: readFileSync(binary) }, executables: [PROGRAM], daemons: [[PROGRAM, ...command]], shell: [], guard: [], forwards,
  }, session);
  const [line] = await session.listen();
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
  return { machine, session, port, said: () => console };
}

/** A program of this computer reads to the end. */
function fetch(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    connect(port, '127.0.0.1').on('data', (chunk) => { bytes += chunk.length; }).on('end', () => resolve(bytes)).on('error', reject);
  });
}

/** A program of this computer sends, and waits until the other side has closed. */
function put(port: number, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', reject).on('close', () => resolve()).resume();
    let left = bytes;
    const block = new Uint8Array(65_536);
    const send = (): void => {
      while (left > 0) {
        const part = Math.min(left, block.length);
        left -= part;
        if (!socket.write(part === block.length ? block : block.subarray(0, part))) {
          socket.once('drain', send);
          return;
        }
      }
      socket.end();
    };
    send();
  });
}

type Client = (port: number, bytes: number) => Promise<void>;

const reads: Client = async (port, bytes) => {
  const got = await fetch(port);
  if (got !== bytes) throw new Error(`${got} of ${bytes} bytes arrived through the forward`);
};

async function prepare(binary: string, image: Uint8Array, bytes: number, command: readonly string[], client: Client): Promise<Run> {
  const { machine, session, port, said } = await serve(binary, image, command);
  const { kernel } = machine.router;
  // Booting is not what is timed; virtual time stands still until the session runs.
  machine.router.runUntil(() => said().includes('ready'), kernel.clock.hz * 60, kernel.clock.hz / 1000);
  return async (): Promise<Outcome> => {
    const before = { instructions: kernel.retired, cycles: kernel.clock.cycles };
    const running = session.run(machine);
    try {
      await client(port, bytes);
    } finally {
      session.stop();
      await running;
    }
    return { instructions: kernel.retired - before.instructions, virtualSeconds: (kernel.clock.cycles - before.cycles) / kernel.clock.hz, units: bytes / MB, output: `${bytes} bytes arrived` };
  };
}

/** Through `shuntbox boot --forward`, between a process of the router and a program of this computer. Virtual time follows wall time, so neither can be faster. */
export function forwarded(binary: string, image: Uint8Array, bytes: number): Workload[] {
  const size = `${bytes / MB} MB`;
  return [
    {
      name: 'forward-out', about: `${size} from a process of the router through a live forward to a program of this computer`, unit: 'MB', paced: true,
      prepare: () => prepare(binary, image, bytes, ['give', String(PORT), String(bytes)], reads),
    },
    {
      name: 'forward-in', about: `${size} from a program of this computer through a live forward to a process of the router`, unit: 'MB', paced: true,
      prepare: () => prepare(binary, image, bytes, ['sink', String(PORT)], put),
    },
  ];
}
