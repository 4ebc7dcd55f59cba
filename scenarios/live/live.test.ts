import { createSocket } from 'node:dgram';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ip } from '../../emulator/net/index.js';
import { decodeMessage, DnsType, encodeQuery } from '../codecs/dns.js';
import { InputError } from '../input-error.js';
import { isRecording } from '../cli/recording.js';
import { parseForward } from './forward.js';
import { inputLine, outcomeLine, RECORDING_SCHEMA, setupLine, type Input } from './input.js';
import { LiveMachine, type LiveSink } from './live-machine.js';
import { Session } from './pace.js';
import { repeat } from './recorded.js';
import type { OutsideHost } from './outside-host.js';
import { readRecording, type Setup } from './recording.js';
import { fileOverride, forwardsOf, liveOptions, words } from './setup.js';

const setup: Setup = {
  schema: RECORDING_SCHEMA, profile: 'mt7628', seed: 1, mem: null, rootfs: null, daemons: [], shell: [], guard: [], guardRepeats: 0, files: {}, forwards: ['udp:0:192.168.1.1:53', 'tcp:0:80'],
};

const query = (name: string, id = 1): Uint8Array => encodeQuery(id, name, DnsType.A);

/** "id name a.b.c.d" of an answer. */
function answer(bytes: Uint8Array): string {
  const message = decodeMessage(bytes);
  return `${message?.id} ${message?.answers.map((one) => `${one.name} ${one.data.join('.')}`).join()}`;
}

function machineWith(received: string[]): LiveMachine {
  const sink: LiveSink = {
    onData: (id, bytes) => received.push(`data ${id} ${bytes.length}`), onEnd: (id) => received.push(`end ${id}`), onGone: (id, errno) => received.push(`gone ${id} ${errno}`),
    onDatagram: (id, bytes) => received.push(`datagram ${id}: ${answer(bytes)}`),
    onConsole: () => undefined,
  };
  return new LiveMachine(liveOptions(setup), sink);
}

/** A host of the outside whose datagrams are only noted: to which port, and what came back for whom. */
class NotingOutside {
  readonly host: OutsideHost;
  port = 0;

  constructor(sent: number[], received: string[]) {
    const machine = machineWith([]);
    this.host = machine.outside;
    this.host.send = (local, _address, port): number => {
      this.port = local;
      sent.push(port);
      return 0;
    };
    this.host.sink = { onData: () => undefined, onEnd: () => undefined, onGone: () => undefined, onDatagram: (id, bytes) => received.push(`${id} ${bytes.length}`) };
  }
}

const seconds = (machine: LiveMachine, s: number): number => machine.router.kernel.clock.toCycles(s * 1e9);

describe('a live machine', () => {
  test('a datagram from outside reaches the daemon, and its answer comes back to whoever asked', () => {
    const received: string[] = [];
    const machine = machineWith(received);
    machine.run(seconds(machine, 2));
    machine.apply({ until: 0, kind: 'datagram', id: 7, forward: 0, bytes: query('router.lan') });
    machine.run(seconds(machine, 3));
    expect(received).toEqual(['datagram 7: 1 router.lan 192.168.1.1']);
  });

  test('a transfer by TFTP goes on with the port the server answered from, and the next request asks the known one again', () => {
    const [sent, received]: [number[], string[]] = [[], []];
    const outside = new NotingOutside(sent, received);
    const forward = { address: ip('192.168.1.1'), port: 69 };
    const request = Uint8Array.of(0, 1, 0x61, 0);
    const [data, acknowledgement] = [Uint8Array.of(0, 3, 0, 1), Uint8Array.of(0, 4, 0, 1)];
    outside.host.datagram(1, forward, request);
    outside.host.onDatagram(outside.host, outside.port, forward.address, 49_152, data);
    outside.host.datagram(1, forward, acknowledgement);
    outside.host.datagram(1, forward, request);
    expect({ sent, received }).toEqual({ sent: [69, 49_152, 69], received: ['1 4'] });
  });

  test('other services are asked at their own port, wherever an answer came from', () => {
    const [sent, received]: [number[], string[]] = [[], []];
    const outside = new NotingOutside(sent, received);
    const forward = { address: ip('192.168.1.1'), port: 53 };
    outside.host.datagram(1, forward, query('router.lan'));
    outside.host.onDatagram(outside.host, outside.port, forward.address, 49_152, query('router.lan'));
    outside.host.datagram(1, forward, query('router.lan'));
    expect(sent).toEqual([53, 53]);
  });

  test('a connection to a port nobody listens on is refused', () => {
    const received: string[] = [];
    const machine = machineWith(received);
    machine.run(seconds(machine, 2));
    machine.apply({ until: 0, kind: 'open', id: 1, forward: 1 });
    machine.apply({ until: 0, kind: 'data', id: 1, bytes: query('x') });
    machine.run(seconds(machine, 3));
    expect(received).toEqual(['gone 1 146']);
  });

  test('what was recorded repeats, however the time between was cut; another input does not', () => {
    const inputs: Input[] = [0.7, 1.9, 1.9, 2.6].map((s, i) => ({ until: Math.floor(s * 580e6), kind: 'datagram', id: 1 + i, forward: 0, bytes: query('router.lan', i) }));
    const first = machineWith([]);
    let at = 0;
    for (const input of inputs) {
      for (; at < input.until; at = Math.min(at + 3_000_017, input.until)) first.run(Math.min(at + 3_000_017, input.until));
      first.apply(input);
    }
    first.run(3 * 580e6);
    const outcome = first.outcome(3 * 580e6);
    expect(repeat({ setup, inputs, outcome }).same).toBe(true);
    expect(repeat({ setup, inputs: inputs.map((one) => ({ ...one, bytes: query('router.lan', 9) })), outcome }).same).toBe(false);
    expect(repeat({ setup, inputs, outcome: null }).same).toBe(null);
  });
});

test('a session joins real sockets to the router, at the pace of wall time', async () => {
  const inputs: Input[] = [];
  const session = new Session(forwardsOf(['udp:0:192.168.1.1:53']), (input) => inputs.push(input), () => undefined);
  const machine = new LiveMachine(liveOptions({ ...setup, forwards: ['udp:0:192.168.1.1:53'] }), session);
  machine.run(seconds(machine, 1));
  const [line] = await session.listen();
  expect(line).toMatch(/^udp 127\.0\.0\.1:\d+ -> 192\.168\.1\.1:53$/);
  const port = Number(/:(\d+) /.exec(line)?.[1]);
  const running = session.run(machine);
  const client = createSocket('udp4');
  const reply = await new Promise<Buffer>((resolve) => {
    client.on('message', resolve);
    client.send(query('router.lan', 77), port, '127.0.0.1');
  });
  client.close();
  session.stop();
  await running;
  expect(answer(reply)).toBe('77 router.lan 192.168.1.1');
  expect(inputs).toHaveLength(1);
}, 20_000);

describe('what people write', () => {
  test.each([
    ['tcp:8080:192.168.1.1:80', { protocol: 'tcp', hostPort: 8080, port: 80 }],
    ['udp:0:53', { protocol: 'udp', hostPort: 0, port: 53 }],
  ])('%s is a forward', (text, expected) => expect(parseForward(text, '192.168.1.1')).toMatchObject(expected));

  test.each(['tcp:80', 'http:1:2', 'tcp:8080:300.1.1.1:80', 'tcp:70000:80', 'tcp:80:0'])('%s is refused with a remedy or a reason', (text) => {
    expect(typeof parseForward(text, '192.168.1.1')).toBe('string');
  });

  test('a command is cut into words, quotes hold blanks together', () => {
    expect(words('/usr/sbin/x -a "b c" \'d e\' f')).toEqual(['/usr/sbin/x', '-a', 'b c', 'd e', 'f']);
  });

  test('a file on the router is named with the file here', () => {
    expect(fileOverride('/etc/x=./y=z')).toEqual(['/etc/x', './y=z']);
    expect(() => fileOverride('etc/x=y')).toThrow(InputError);
  });
});

describe('a recording', () => {
  const input: Input = { until: 5, kind: 'data', id: 1, bytes: Uint8Array.of(0, 255, 10) };
  const outcome = { until: 9, eventLog: 'a', output: 'b', inputs: 1 };

  test('reads as it was written, cut off or not', () => {
    const text = setupLine(setup) + inputLine(input);
    expect(readRecording('f', text + outcomeLine(outcome))).toEqual({ setup, inputs: [input], outcome });
    expect(readRecording('f', text)).toEqual({ setup, inputs: [input], outcome: null });
  });

  test('what is none is refused in one line that names the place', () => {
    for (const [text, line] of [['', 'is empty'], ['{}\n', 'line 1'], [setupLine(setup) + 'x\n', 'line 2'], [setupLine(setup) + inputLine({ until: 5, kind: 'open', id: 1, forward: 9 }), 'line 2'], [setupLine(setup) + inputLine(input) + inputLine({ ...input, until: 1 }), 'line 3']]) {
      expect(() => readRecording('f', text)).toThrow(new RegExp(`^f: .*${line}|^f: ${line}`));
    }
  });

  test.each([{ profile: 'vax' }, { mem: 1e15 }, { mem: -1 }, { daemons: [[]] }, { seed: 0.5 }])('a machine that cannot be is refused before it is made: %j', (change) => {
    expect(() => readRecording('f', JSON.stringify({ ...setup, ...change }) + '\n')).toThrow(/^f: line 1: /);
  });

  test('noise never throws anything else', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => {
      try {
        readRecording('f', setupLine(setup) + a + '\n' + b);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }));
  });

  test('is known by its first line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'shuntbox-'));
    writeFileSync(join(folder, 'a'), setupLine(setup));
    writeFileSync(join(folder, 'b'), 'schema: 1\n');
    expect([isRecording(join(folder, 'a')), isRecording(join(folder, 'b')), isRecording(folder), isRecording('dns-leak')]).toEqual([true, false, false, false]);
    rmSync(folder, { recursive: true });
  });
});
