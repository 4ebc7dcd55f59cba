import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ip } from '../../emulator/net/index.js';
import { address, dhcpMessage, dhcpOptions, Lab } from './lab.js';

const [DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM] = [1, 2, 3, 4, 5, 6, 7, 8];
const HOST_NAME = 12;
const REQUESTED = 50;
const SERVER = 54;
const US = address('192.168.1.1');

const daemon = (flags = '', policy = 'none'): string => `daemon dhcpd ${policy} -- /usr/sbin/dhcpd ${flags}\n`;

interface Answer {
  type: number;
  address: string;
  options: Map<number, Buffer>;
}

function talk(lab: Lab, message: Buffer, wait = 0.1): Answer | null {
  const bytes = lab.exchange(message, 67, 68, wait);
  if (!bytes) return null;
  const options = dhcpOptions(bytes);
  return { type: options.get(53)?.[0] ?? 0, address: [...bytes.subarray(16, 20)].join('.'), options };
}

/** DISCOVER and REQUEST: the address leased. */
function lease(lab: Lab, client: number): string | undefined {
  const offer = talk(lab, dhcpMessage(client, DISCOVER));
  if (!offer) return undefined;
  const ack = talk(lab, dhcpMessage(client, REQUEST, [[REQUESTED, address(offer.address)], [SERVER, US]]));
  return ack?.type === ACK ? ack.address : undefined;
}

describe('dhcpd', () => {
  test('offers, leases, renews and takes back addresses', () => {
    const lab = new Lab(daemon('-n 2'));
    expect(talk(lab, dhcpMessage(10, DISCOVER))).toMatchObject({ type: OFFER, address: '192.168.1.100' });
    expect(lease(lab, 10)).toBe('192.168.1.100');
    expect(talk(lab, dhcpMessage(10, REQUEST, [], ip('192.168.1.100')))).toBeNull();   // to its address, which the client host does not have
    expect(lease(lab, 11)).toBe('192.168.1.101');
    expect(talk(lab, dhcpMessage(12, DISCOVER))).toBeNull();
    lab.exchange(dhcpMessage(11, RELEASE, [[SERVER, US]], ip('192.168.1.101')), 67, 68, 0.05);
    expect(lease(lab, 12)).toBe('192.168.1.101');
    expect(talk(lab, dhcpMessage(10, REQUEST, [[REQUESTED, address('192.168.1.55')], [SERVER, US]]))?.type).toBe(NAK);
    lab.exchange(dhcpMessage(12, DECLINE, [[REQUESTED, address('192.168.1.101')], [SERVER, US]]), 67, 68, 0.05);
    expect(talk(lab, dhcpMessage(13, DISCOVER))).toBeNull();
  });

  test('tells the network what it needs to know', () => {
    const lab = new Lab(daemon('-T 600'));
    const { options } = talk(lab, dhcpMessage(10, DISCOVER))!;
    expect(options.get(1)).toEqual(address('255.255.255.0'));
    expect(options.get(3)).toEqual(US);
    expect(options.get(6)).toEqual(US);
    expect(options.get(51)?.readUInt32BE()).toBe(600);
    expect(options.get(SERVER)).toEqual(US);
    const inform = talk(lab, dhcpMessage(20, INFORM));
    expect(inform).toMatchObject({ type: ACK, address: '0.0.0.0' });
    expect(inform?.options.has(51)).toBe(false);
  });

  test('gives a listed client its own address', () => {
    expect(lease(new Lab(daemon()), 2)).toBe('192.168.1.2');
  });

  test('knows its leases after a restart', () => {
    const lab = new Lab(daemon('', 'respawn'));
    expect(lease(lab, 10)).toBe('192.168.1.100');
    lab.exchange(dhcpMessage(99, DISCOVER, [[HOST_NAME, Buffer.alloc(200, 0x40)]]), 67, 68, 0.05);
    lab.run(0.5);
    expect(lab.deaths('dhcpd')).toEqual([11]);
    expect(lease(lab, 11)).toBe('192.168.1.101');
    expect(lease(lab, 10)).toBe('192.168.1.100');
  });
});

const { hostNameOption, returnTo } = (JSON.parse(readFileSync(join(process.cwd(), 'router-firmware/targets.json'), 'utf8')) as {
  dhcpd: { hostNameOption: Record<'ra' | 's0', number>; returnTo: Record<string, string> };
}).dhcpd;

/** A host name that sends take_host_name back to `target`, with all saved registers 0. */
function smash(target: string): Buffer {
  const name = Buffer.alloc(hostNameOption.ra + 4);
  name.writeUInt32LE(Number(target), hostNameOption.ra);
  return dhcpMessage(66, DISCOVER, [[HOST_NAME, name]]);
}

const endings: [string, number][] = [['unmapped', 11], ['misaligned', 10], ['kernel', 10], ['abort', 6], ['divide', 8], ['reserved', 4]];

describe('the stack smash of dhcpd: the sender chooses the signal', () => {
  test.each(endings)('%s: signal %d', (target, signo) => {
    const lab = new Lab(daemon());
    lab.exchange(smash(returnTo[target]), 67, 68, 0.05);
    expect(lab.deaths('dhcpd')).toEqual([signo]);
  });

  test('rolled back, it survives every one', () => {
    const lab = new Lab(daemon('-m rollback -s share'));
    expect(lease(lab, 10)).toBe('192.168.1.100');
    for (const [target] of endings) lab.exchange(smash(returnTo[target]), 67, 68, 0.05);
    expect(lab.console.filter((line) => line.startsWith('dhcpd: recovered')).map((line) => /signal (\d+)/.exec(line)?.[1]))
      .toEqual(endings.map(([, signo]) => String(signo)));
    expect(lease(lab, 11)).toBe('192.168.1.101');
    expect(lab.deaths('dhcpd')).toEqual([]);
  });

  test('filtered, its variants are dropped and long good names are not', () => {
    const lab = new Lab(daemon('-m filter -s share'));
    const named = (client: number, length: number): Buffer => dhcpMessage(client, DISCOVER, [[HOST_NAME, Buffer.alloc(length, 0x40)]]);
    expect(talk(lab, named(10, 63))?.type).toBe(OFFER);
    for (const length of [104, 255]) lab.exchange(named(66, length), 67, 68, 0.02);
    const learned = lab.count('checkpoint.thaw');
    for (const length of [120, 150, 200, 254]) lab.exchange(named(67, length), 67, 68, 0.02);
    expect(learned).toBe(2);
    expect(lab.count('checkpoint.thaw')).toBe(learned);
    expect(talk(lab, named(11, 63))?.type).toBe(OFFER);
  });

  test('the repaired build cuts the name and answers', () => {
    const lab = new Lab('daemon dhcpd none -- /usr/sbin/dhcpd.patched\n');
    expect(talk(lab, smash(returnTo.unmapped))?.type).toBe(OFFER);
  });
});

describe('leases given since the freeze', () => {
  // Frozen once in eight requests: the second lease is not in the image.
  function rolledBack(flags: string): (string | undefined)[] {
    const lab = new Lab(daemon(`-m rollback -s share -i 8 ${flags}`));
    const before = lease(lab, 10);
    lab.exchange(smash(returnTo.unmapped), 67, 68, 0.05);
    return [before, lease(lab, 11)];
  }

  test('are known after a thaw, from the lease file', () => expect(rolledBack('')).toEqual(['192.168.1.100', '192.168.1.101']));
  test.each(['-x', '-R'])('are given twice without it (%s)', (flag) => expect(rolledBack(flag)).toEqual(['192.168.1.100', '192.168.1.100']));
});

describe('the domain name option of dhcpd', () => {
  const FQDN = 81;
  const wire = (...labels: string[]): Buffer => Buffer.concat([Buffer.from([4, 0, 0]), ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])), Buffer.from([0])]);
  const loop = dhcpMessage(66, DISCOVER, [[FQDN, Buffer.from([4, 0, 0, 0xc0, 0])]]);

  test('names the lease, labels in order', () => {
    const lab = new Lab(daemon());
    const name: [number, Uint8Array] = [FQDN, wire('desk', 'office', 'lan')];
    const offer = talk(lab, dhcpMessage(10, DISCOVER, [name]))!;
    talk(lab, dhcpMessage(10, REQUEST, [[REQUESTED, address(offer.address)], [SERVER, US], name]));
    expect(lab.read('/var/lib/dhcpd.leases').toString()).toMatch(/ bound desk\.office\.lan\n$/);
  });

  test('that points to itself uses up the stack: deadly without an alternate one, also with checkpoints', () => {
    const lab = new Lab(daemon('-m rollback -s share -O'));
    lab.exchange(loop, 67, 68, 0.1);
    expect(lab.deaths('dhcpd')).toEqual([11]);
    expect(lab.count('checkpoint.thaw')).toBe(0);
  });

  test.each(['vnode', 'share'])('that points to itself is survived on an alternate stack, again and again (%s)', (store) => {
    const lab = new Lab(daemon(`-m rollback -s ${store}`));
    const free = lab.router.kernel.ram.free();
    for (let i = 0; i < 3; i++) lab.exchange(loop, 67, 68, 0.1);
    expect(lab.count('checkpoint.thaw')).toBe(3);
    expect(lease(lab, 10)).toBe('192.168.1.100');
    // Eight MiB of stack came and went.
    expect(free - lab.router.kernel.ram.free()).toBeLessThan(200);
  });

  test('is bounded in the repaired build', () => {
    const lab = new Lab('daemon dhcpd none -- /usr/sbin/dhcpd.patched -X -n 1\n');
    expect(talk(lab, loop)).toMatchObject({ type: OFFER });
    expect(talk(lab, dhcpMessage(11, DISCOVER))).toBeNull();
    expect(lab.deaths('dhcpd.patched')).toEqual([]);
  });
});

test('dhcpd -X takes a pool without a free address for impossible', () => {
  const lab = new Lab(daemon('-X -n 1'));
  expect(lease(lab, 10)).toBe('192.168.1.100');
  expect(talk(lab, dhcpMessage(11, DISCOVER))).toBeNull();
  expect(lab.deaths('dhcpd')).toEqual([6]);
});
