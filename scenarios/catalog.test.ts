import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../emulator/base/index.js';
import { ETHERTYPE_IPV4, IP_UDP, ip, ipv4, mac, writeEthernet, writeIpv4, writePcapng, writeUdp } from '../emulator/net/index.js';
import { capturedMessages } from './attacks/capture.js';
import { ednsUnderflow } from './attacks/dns.js';
import { catalogFolder, catalogNames, loadScenario } from './scenario.js';

/** Midnight of 1 January 2026, UTC. */
const EPOCH_NS = 1_767_225_600_000_000_000n;

/** One datagram, as a tap on lan0 would have captured it. */
function capture(payload: Uint8Array, port: number): Uint8Array {
  const source = ip('192.168.1.66');
  const destination = ip('192.168.1.1');
  const segment = writeUdp({ sourcePort: 40000, destinationPort: port, payload }, source, destination);
  const frame = writeEthernet({ destination: mac('02:5b:00:00:00:01'), source: mac('02:00:00:00:01:42'), type: ETHERTYPE_IPV4, payload: writeIpv4(ipv4({ source, destination, protocol: IP_UDP, payload: segment })) });
  return writePcapng({
    interfaces: [{ name: 'lan0', description: '' }], comment: '', hardware: '', application: 'shuntbox',
    packets: [{ interface: 0, time: EPOCH_NS, bytes: frame, comment: 'attack', direction: 'in' }],
  });
}

describe('captures of the catalog', () => {
  const file = join(catalogFolder(), 'dns-negative-memcpy', 'attack.pcapng');
  const made = capture(ednsUnderflow(new Random(1)), 53);

  test('hold the message they are said to hold (SHUNTBOX_UPDATE=1 writes them anew)', () => {
    if (process.env.SHUNTBOX_UPDATE) writeFileSync(file, made);
    expect(Buffer.compare(readFileSync(file), made)).toBe(0);
    expect(capturedMessages(file, 53)).toHaveLength(1);
  });

  test('without a datagram to the port they are refused, with the port as a hint', () => {
    expect(() => capturedMessages(file, 67)).toThrow(/no UDP datagram to port 67 .* check the attack's `port`/);
  });
});

describe('every scenario', () => {
  test.each(catalogNames())('%s has a README and the captures it names', (name) => {
    const { folder, attack } = loadScenario(name);
    expect(existsSync(join(folder, 'README.md'))).toBe(true);
    for (const { message } of attack) if ('capture' in message) expect(existsSync(join(folder, message.capture))).toBe(true);
  });
});
