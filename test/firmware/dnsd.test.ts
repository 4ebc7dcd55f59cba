import type { Packet } from 'dns-packet';
import { attacks, Lab, type Answer } from './lab.js';

const daemon = (flags = '', policy = 'none'): string => `daemon dnsd ${policy} -- /usr/sbin/dnsd ${flags}\n`;
const data = (message: Answer | null): unknown[] => (message?.answers ?? []).map((answer) => ('data' in answer ? answer.data : null));
const lasting = (ttl: number) => (name: string): Partial<Packet> => ({ answers: [{ type: 'A', name, ttl, data: '10.1.2.3' }] });
const address = lasting(60);

describe('dnsd', () => {
  test('answers from its static records, in the spelling of the question', () => {
    const lab = new Lab(daemon());
    const answer = lab.ask('RouTer.LAN');
    expect(answer?.questions?.[0].name).toBe('RouTer.LAN');
    expect(answer?.flag_aa).toBe(true);
    expect(data(answer)).toEqual(['192.168.1.1']);
    expect(data(lab.ask('router.lan', 'AAAA'))).toEqual(['2001:db8:1::1']);
    expect(data(lab.ask('www.lan'))).toEqual(['router.lan', '192.168.1.1']);
    expect(data(lab.ask('1.1.168.192.in-addr.arpa', 'PTR'))).toEqual(['router.lan']);
    expect(String(data(lab.ask('router.lan', 'TXT')))).toBe('Shuntbox');
    expect(lab.ask('printer.lan', 'AAAA')).toMatchObject({ rcode: 'NOERROR', answers: [] });
    expect(lab.upstream).toEqual([]);
  });

  test('asks the server once while the answer is fresh, and counts its time down', () => {
    const lab = new Lab(daemon());
    lab.resolve = lasting(10);
    expect(data(lab.ask('one.test'))).toEqual(['10.1.2.3']);
    lab.run(4);
    expect(lab.ask('ONE.test')?.answers?.[0]).toMatchObject({ ttl: 6, data: '10.1.2.3' });
    expect(lab.upstream.length).toBe(1);
    lab.run(7);
    lab.ask('one.test');
    expect(lab.upstream.length).toBe(2);
  });

  test('keeps "no such name" as long as the zone says', () => {
    const lab = new Lab(daemon());
    const soa = { mname: 'a.test', rname: 'b.test', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 30 };
    lab.resolve = () => ({ flags: 3, authorities: [{ type: 'SOA', name: 'test', ttl: 100, data: soa }] } as unknown as Partial<Packet>);
    expect(lab.ask('no.test')?.rcode).toBe('NXDOMAIN');
    expect(lab.ask('no.test')?.rcode).toBe('NXDOMAIN');
    expect(lab.upstream.length).toBe(1);
  });

  test('truncates what does not fit and gives it whole to a client with room', () => {
    const lab = new Lab(daemon());
    lab.resolve = (name) => ({ answers: Array.from({ length: 60 }, (_, i) => ({ type: 'A' as const, name, ttl: 60, data: `10.0.0.${i}` })) });
    expect(lab.ask('big.test')).toMatchObject({ flag_tc: true, answers: [] });
    expect(lab.ask('big.test', 'A', { size: 4096 })?.answers?.length).toBe(60);
  });

  test('gives up on a silent server after its tries, each with another id', () => {
    const lab = new Lab(daemon('-t 100 -r 3'));
    lab.resolve = () => undefined;
    expect(lab.ask('silent.test')?.rcode).toBe('SERVFAIL');
    expect(new Set(lab.upstream.map(({ message }) => message.id)).size).toBe(3);
  });

  test('spreads its queries over ports', () => {
    const lab = new Lab(daemon());
    lab.resolve = address;
    for (let i = 0; i < 24; i++) lab.ask(`h${i}.test`);
    expect(new Set(lab.upstream.map(({ port }) => port)).size).toBeGreaterThan(4);
  });
});

describe('the planted bugs of dnsd', () => {
  test('a short cookie kills it with SIGSEGV', () => {
    const lab = new Lab(daemon());
    expect(lab.exchange(attacks.cookie())).toBeNull();
    expect(lab.deaths('dnsd')).toEqual([11]);
    expect(lab.console).toContain('init: dnsd stays dead');
  });

  test('a pointer to itself hangs it, and nobody notices', () => {
    const lab = new Lab(daemon('', 'respawn'));
    lab.exchange(attacks.loop(), 53, 5353, 0.05);
    lab.run(0.1);
    expect(lab.ask('router.lan', 'A', undefined, 0.1)).toBeNull();
    expect(lab.console.some((line) => line.includes('killed'))).toBe(false);
  });

  test('client-subnet queries use up its memory until malloc fails', () => {
    const lab = new Lab(`limit dnsd as 2097152\n${daemon()}`);
    let queries = 0;
    while (lab.deaths('dnsd').length === 0 && queries++ < 1000) lab.exchange(attacks.leak(), 53, 5353, 0.02);
    expect(lab.deaths('dnsd')).toEqual([6]);
    expect(lab.console).toContain('dnsd: out of memory');
    expect(queries).toBeGreaterThan(100);
  });

  test('a device name of 32 bytes is kept; one of 36 is answered too, and the next question dies of it', () => {
    const lab = new Lab(daemon());
    expect(lab.exchange(attacks.device(32), 53, 5353, 0.05)).not.toBeNull();
    expect(data(lab.ask('router.lan'))).toEqual(['192.168.1.1']);
    expect(lab.exchange(attacks.device(36), 53, 5353, 0.05)).not.toBeNull();
    expect(lab.deaths('dnsd')).toEqual([]);
    expect(lab.ask('router.lan', 'A', undefined, 0.05)).toBeNull();
    expect(lab.deaths('dnsd')).toEqual([11]);
  });

  test('the repaired build stands all four', () => {
    const lab = new Lab('limit dnsd as 2097152\ndaemon dnsd none -- /usr/sbin/dnsd.patched\n');
    lab.exchange(attacks.cookie(), 53, 5353, 0.05);
    lab.exchange(attacks.loop(), 53, 5353, 0.05);
    lab.exchange(attacks.device(36), 53, 5353, 0.05);
    for (let i = 0; i < 600; i++) lab.exchange(attacks.leak(), 53, 5353, 0.02);
    expect(data(lab.ask('router.lan'))).toEqual(['192.168.1.1']);
    expect(lab.deaths('dnsd.patched')).toEqual([]);
  });
});

describe.each(['vnode', 'copy', 'pool', 'share'])('dnsd rolls back through %s', (store) => {
  test('after a wild copy, again and again, with its cache', () => {
    const lab = new Lab(daemon(`-m rollback -s ${store}`));
    lab.resolve = address;
    lab.ask('cached.test');
    for (let i = 1; i <= 5; i++) {
      lab.exchange(attacks.cookie(i), 53, 5353, 0.05);
      expect(lab.console).toContain(`dnsd: recovered state 2 signal 11 jumps ${i}`);
      expect(data(lab.ask('cached.test'))).toEqual(['10.1.2.3']);
    }
    expect(lab.upstream.length).toBe(1);
    expect(lab.deaths('dnsd')).toEqual([]);
  });

  test('after a hang, when the watchdog rings', () => {
    const lab = new Lab(daemon(`-m rollback -s ${store} -w 50`));
    lab.exchange(attacks.loop(), 53, 5353, 0.15);
    expect(lab.console).toContain('dnsd: recovered state 2 signal 14 jumps 1');
    expect(data(lab.ask('router.lan'))).toEqual(['192.168.1.1']);
  });
});

describe('dnsd with the checkpoint calls', () => {
  test('goes back to its first state when memory is gone, and has it all again', () => {
    const lab = new Lab(daemon('-m rollback -s share -A 1048576'));
    for (let i = 0; i < 450; i++) lab.exchange(attacks.leak(), 53, 5353, 0.02);
    const recoveries = lab.console.filter((line) => line.startsWith('dnsd: recovered state 1 signal 6'));
    expect(recoveries.length).toBeGreaterThanOrEqual(2);
    expect(data(lab.ask('router.lan'))).toEqual(['192.168.1.1']);
    expect(lab.deaths('dnsd')).toEqual([]);
  });

  test('tries its first state when the newest does not help, and gives up in the end', () => {
    const lab = new Lab(daemon('-m rollback -s share -e 2', 'respawn 3600 5 5'));
    for (let i = 0; i < 65; i++) lab.exchange(attacks.cookie(), 53, 5353, 0.004);
    expect(lab.console.filter((line) => line === 'dnsd: escalate to state 1')).toHaveLength(32);
    expect(lab.console).toContain('dnsd: gives up after 65 recoveries');
    expect(lab.console).toContain('init: dnsd pid 2 exited status 70');
  });

  test('takes new ids and ports after a thaw', () => {
    const lab = new Lab(daemon('-m rollback -s share'));
    lab.resolve = address;
    lab.ask('before.test');
    const ids: number[] = [];
    for (let i = 0; i < 4; i++) {
      lab.exchange(attacks.cookie(), 53, 5353, 0.05);
      lab.ask(`after${i}.test`);
      ids.push(lab.upstream.at(-1)?.message.id ?? -1);
    }
    expect(new Set(ids).size).toBe(4);
    expect(new Set(lab.upstream.map(({ port }) => port)).size).toBe(5);
  });

  test('filters a repeated attack, then its variants, and lets good cookies pass', () => {
    const lab = new Lab(daemon('-m filter -s share'));
    const good = (): boolean => data(lab.ask('router.lan', 'A', { options: [{ code: 10, data: Buffer.alloc(8, 7) }] })).length === 1;
    expect(good()).toBe(true);
    const first = attacks.cookie(4);
    lab.exchange(first, 53, 5353, 0.05);
    lab.exchange(first, 53, 5353, 0.05);
    expect(lab.console.filter((line) => line.startsWith('dnsd: dropped exact'))).toHaveLength(1);
    for (const size of [0, 7]) lab.exchange(attacks.cookie(size), 53, 5353, 0.05);
    const learned = lab.count('checkpoint.thaw');
    for (const size of [1, 2, 3, 5, 6]) lab.exchange(attacks.cookie(size), 53, 5353, 0.05);
    expect(lab.count('checkpoint.thaw')).toBe(learned);
    expect(lab.console.filter((line) => line.startsWith('dnsd: dropped box'))).toHaveLength(5);
    expect(good()).toBe(true);
  });

  test('repeats ids and ports after a thaw when told not to reseed', () => {
    const lab = new Lab(daemon('-m rollback -s share -i 50 -R'));
    lab.resolve = address;
    lab.ask('before.test');
    for (let i = 0; i < 3; i++) {
      lab.exchange(attacks.cookie(), 53, 5353, 0.05);
      lab.ask(`after${i}.test`);
    }
    const after = lab.upstream.slice(1).map(({ message, port }) => `${message.id} ${port}`);
    expect(after).toHaveLength(3);
    expect(new Set(after).size).toBe(1);
  });

  test('learns from a placebo as much as from a filter, and faults all the same', () => {
    const lab = new Lab(daemon('-m placebo -s share'));
    const first = attacks.cookie(4);
    for (let i = 0; i < 3; i++) lab.exchange(first, 53, 5353, 0.05);
    for (const size of [0, 7, 3]) lab.exchange(attacks.cookie(size), 53, 5353, 0.05);
    expect(lab.count('checkpoint.thaw')).toBe(6);
    expect(lab.console.filter((line) => line.startsWith('dnsd: filter exact'))).toHaveLength(6);
    expect(lab.console).toContain('dnsd: filter box signal 11 samples 6');
    expect(lab.console.filter((line) => line.includes(': dropped '))).toEqual([]);
    expect(data(lab.ask('router.lan'))).toEqual(['192.168.1.1']);
  });

  test('with escalation switched off never leaves its newest state, and gives up late', () => {
    const lab = new Lab(daemon('-m rollback -s share -e 0', 'respawn 3600 5 5'));
    for (let i = 0; i < 257; i++) lab.exchange(attacks.cookie(), 53, 5353, 0.004);
    expect(lab.console.some((line) => line.includes('escalate'))).toBe(false);
    expect(lab.console).toContain('dnsd: gives up after 257 recoveries');
  });

  // Damage that is in the newest state already.
  const damaged = (flags: string): Lab => {
    const lab = new Lab(daemon(`-m rollback -s share ${flags}`));
    lab.ask('router.lan');
    lab.exchange(attacks.device(36), 53, 5353, 0.05);
    return lab;
  };
  const asks = (lab: Lab, times: number): number => Array.from({ length: times }, () => lab.ask('router.lan', 'A', undefined, 0.01)).filter((answer) => answer !== null).length;

  test('heals of damage in its newest state by going back to the first', () => {
    const lab = damaged('');
    expect(asks(lab, 8)).toBe(0);
    expect(lab.console).toContain('dnsd: escalate to state 1');
    expect(asks(lab, 8)).toBe(8);
    expect(lab.count('checkpoint.thaw')).toBe(8);
  });

  test('remembers good inputs over the way back to its first state, so that no rule refuses them', () => {
    const lab = damaged('-m filter');
    expect(asks(lab, 8)).toBe(0);
    expect(asks(lab, 8)).toBe(8);
    lab.exchange(attacks.device(36), 53, 5353, 0.05);
    asks(lab, 8);
    expect(asks(lab, 8)).toBe(8);
    expect(lab.console).toContain('dnsd: filter box signal 11 refused, it would match good input');
    expect(lab.console.filter((line) => line.startsWith('dnsd: dropped box'))).toEqual([]);
  });

  test('carries damage over every rollback with what it persists', () => {
    const lab = damaged('-K persist');
    expect(asks(lab, 20)).toBe(0);
    expect(lab.count('checkpoint.thaw')).toBe(20);
  });

  test('heals at once when it takes back what it had checked and cached', () => {
    const lab = damaged('-K cache');
    expect(asks(lab, 20)).toBe(19);
    expect(lab.count('checkpoint.thaw')).toBe(1);
  });

  test('serves without them on a router that has none', () => {
    const lab = new Lab(daemon('-m rollback'), { checkpoint: null });
    expect(data(lab.ask('router.lan'))).toEqual(['192.168.1.1']);
    expect(lab.console.some((line) => line.startsWith('dnsd: no checkpoints'))).toBe(true);
  });
});
