import { Errno } from '../../emulator/base/index.js';
import { ip } from '../../emulator/net/index.js';
import { Script } from './tcp-script.js';

const MS = 1000;
const S = 1_000_000;

describe('opening', () => {
  test('a handshake: SYN, SYN-ACK with our options, ACK, data, silence', () => {
    const x = new Script();
    const listener = x.listen();
    x.give(1000, 'S', { options: { mss: 1460, windowScale: 2, sackPermitted: true, timestamp: { value: 7, echo: 0 } } });
    expect(x.said()).toEqual(['1000 S. 0 ack 1 win 65535 <mss 1460,sackOK,ts,wscale 7>']);
    x.give(2000, '.', { seq: 1, ack: 1, options: { timestamp: { value: 8, echo: 0 } } });
    const connection = listener.accept();
    expect(connection?.state).toBe('ESTABLISHED');
    x.give(3000, 'P.', { seq: 1, ack: 1, data: 'hello', options: { timestamp: { value: 9, echo: 0 } } });
    expect(x.said()).toEqual([]);
    x.run(60 * S);
    // The ACK waits 40 ms for company, then goes alone.
    expect(x.said()).toEqual(['43000 . 1 ack 6 win 512 <ts>']);
    expect(Buffer.from(connection?.receive(100) ?? []).toString()).toBe('hello');
    expect(x.drops()).toEqual({});
  });

  test('without options there is none in the answer but the MSS, and no window scaling', () => {
    const x = new Script();
    x.listen();
    x.give(1000, 'S', {});
    expect(x.said()).toEqual(['1000 S. 0 ack 1 win 65535 <mss 1460>']);
  });

  test('SYN-ACKs repeat after 1, 3, 7, 15, 31 s and the entry is gone after 63 s', () => {
    const x = new Script();
    x.listen();
    x.give(0, 'S', {});
    x.run(200 * S);
    expect(x.said().map((line) => Number(line.split(' ')[0]) / S)).toEqual([0, 1, 3, 7, 15, 31]);
    expect(x.tcp.halfOpen.count).toBe(0);
    x.give(200 * S, '.', { seq: 1, ack: 1 });
    expect(x.said()).toEqual([`${200 * S} R 1`]);
  });

  test('connect: SYN, its repetitions, and ETIMEDOUT after 127 s', () => {
    const x = new Script();
    const c = x.tcp.socket();
    expect(c.connect(ip('192.168.1.10'), 80)).toBe(0);
    expect(c.connect(ip('192.168.1.10'), 80)).toBe(-Errno.EALREADY);
    x.run(300 * S);
    expect(x.said().filter((line) => line.includes(' S ')).map((line) => Number(line.split(' ')[0]) / S)).toEqual([0, 1, 3, 7, 15, 31, 63]);
    expect([c.state, c.error]).toEqual(['CLOSED', Errno.ETIMEDOUT]);
  });

  test('connect: a reset is ECONNREFUSED, one that acknowledges nothing of ours is nothing', () => {
    const x = new Script();
    const c = x.connecting();
    expect(x.said()).toEqual(['0 S 0 win 65535 <mss 1460,sackOK,ts,wscale 7>']);
    x.give(100, 'R.', { ack: 77 });
    x.give(200, 'R', {});
    expect(c.state).toBe('SYN_SENT');
    x.give(300, 'R.', { ack: 1 });
    expect([c.state, c.error]).toEqual(['CLOSED', Errno.ECONNREFUSED]);
  });

  test('both open at once (RFC 9293 figure 7)', () => {
    const x = new Script();
    const c = x.connecting();
    x.said();
    x.give(100, 'S', { options: { mss: 1000 } });
    expect(c.state).toBe('SYN_RECEIVED');
    expect(x.said()).toEqual(['100 S. 0 ack 1 win 65535 <mss 1460>']);
    x.give(200, 'S.', { ack: 1, options: { mss: 1000 } });
    x.give(300, '.', { seq: 1, ack: 1 });
    expect(c.state).toBe('ESTABLISHED');
  });

  test('closed before the handshake of a simultaneous open is over: the FIN follows the ACK of our SYN', () => {
    const x = new Script();
    const c = x.connecting();
    x.said();
    x.give(100, 'S', { options: { mss: 1000 } });
    x.said();
    c.close();
    expect([c.state, x.said()]).toEqual(['SYN_RECEIVED', []]);
    x.give(200, '.', { seq: 1, ack: 1 });
    expect([c.state, x.said()]).toEqual(['FIN_WAIT_1', ['200 F. 1 ack 1 win 65535']]);
    x.give(300, 'F.', { seq: 1, ack: 2 });
    expect(x.tcp.timeWaits.size).toBe(1);
  });

  test('connecting again and again to nobody holds no more memory than once', () => {
    const x = new Script();
    const c = x.tcp.socket();
    for (let i = 0; i < 10; i++) {
      expect(c.connect(ip('192.168.1.1'), 99)).toBe(0);
      x.run(i);
      expect([c.state, c.takeError(), c.charged]).toEqual(['CLOSED', Errno.ECONNREFUSED, 0]);
      c.disconnect();
    }
  });

  test('the backlogs: as many wait as were asked for and one; SYNs beyond the queue are dropped and counted', () => {
    const x = new Script();
    const listener = x.listen(1);
    for (let port = 1; port <= 3; port++) {
      x.iss = -1;
      x.shakeHands(port * 100, { port });
    }
    expect(listener.listener?.queue.length).toBe(2);
    expect(x.drops()).toEqual({ 'tcp.accept-queue-full': 1, 'tcp.listen-ack': 1 });
    expect(x.stack.snmp.get('TcpExt.ListenOverflows')).toBe(1);
    listener.accept();
    x.tcp.synBacklog = 5;
    for (let port = 10; port < 20; port++) x.give(1000, 'S', { port });
    expect(x.tcp.halfOpen.count).toBe(5);
    expect(x.drops()).toEqual({ 'tcp.accept-queue-full': 1, 'tcp.listen-ack': 1, 'tcp.syn-queue-full': 5 });
  });

  test('TCP_DEFER_ACCEPT: a bare ACK is not enough, data is', () => {
    const x = new Script();
    const listener = x.listen();
    listener.configure({ deferAccept: 1 });
    x.shakeHands(0);
    expect(listener.accept()).toBeNull();
    x.give(20, '.', { seq: 1, ack: 1, data: 'GET' });
    expect(listener.accept()?.available).toBe(3);
  });
});

describe('what does not belong', () => {
  test('nobody listens: reset with the number that makes it believable', () => {
    const x = new Script();
    x.give(0, 'S', { seq: 5, data: 'abc' });
    expect(x.said()).toEqual(['0 R. 0 ack 9']);
    x.give(10, '.', { seq: 5, ack: 4711 });
    expect(x.said()).toEqual(['10 R 4711']);
    x.give(20, 'R', { seq: 5 });
    expect(x.said()).toEqual([]);
    expect(x.drops()).toEqual({ 'tcp.no-socket': 3 });
  });

  test('RFC 5961: a reset in the window is asked about, only the very next number resets', () => {
    const x = new Script();
    const c = x.accepted(0);
    x.give(100, 'R', { seq: 100 });
    expect(x.said()).toEqual(['100 . 1 ack 1 win 65535']);
    x.give(200, 'R', { seq: 70_000 });
    expect(x.said()).toEqual([]);
    expect(c.state).toBe('ESTABLISHED');
    x.give(300, 'R', { seq: 1 });
    expect([c.state, c.error]).toEqual(['CLOSED', Errno.ECONNRESET]);
    expect(x.said()).toEqual([]);
  });

  test('RFC 5961: a SYN is answered with an ACK, also an ACK of what was never sent; a thousand a second at most', () => {
    const x = new Script();
    x.accepted(0);
    x.give(100, 'S', { seq: 50 });
    x.give(200, '.', { seq: 1, ack: 5000 });
    expect(x.said()).toEqual(['100 . 1 ack 1 win 65535', '200 . 1 ack 1 win 65535']);
    for (let i = 0; i < 1500; i++) x.give(300, 'S', { seq: 50 });
    expect(x.said().length).toBe(998);
  });

  test('segments outside the window are answered where we are, but two ends do not quarrel: twice a second at most', () => {
    const x = new Script();
    x.accepted(0);
    for (let i = 1; i <= 10; i++) x.give(i * 100 * MS, '.', { seq: 200_000, ack: 1 });
    expect(x.said().map((line) => line.split(' ')[0])).toEqual(['100000', '600000']);
    expect(x.drops()['tcp.out-of-window']).toBe(10);
  });

  test('an old time stamp is refused (PAWS)', () => {
    const x = new Script();
    const c = x.accepted(0, { mss: 1000, timestamp: { value: 1000, echo: 0 } });
    x.give(100, 'P.', { seq: 1, ack: 1, data: 'new', options: { timestamp: { value: 1001, echo: 0 } } });
    x.give(200, 'P.', { seq: 4, ack: 1, data: 'old', options: { timestamp: { value: 999, echo: 0 } } });
    expect(c.available).toBe(3);
    expect(x.drops()).toEqual({ 'tcp.old-timestamp': 1 });
  });
});

describe('sending', () => {
  test("Nagle: the second small piece waits for the first one's ACK; TCP_NODELAY does not", () => {
    const x = new Script();
    const c = x.accepted(0);
    c.send(Buffer.from('a'));
    c.send(Buffer.from('b'));
    x.run(50);
    expect(x.said()).toEqual(['10 P. 1:2 ack 1 win 65535']);
    x.give(100, '.', { seq: 1, ack: 2 });
    expect(x.said()).toEqual(['100 P. 2:3 ack 1 win 65535']);
    c.configure({ noDelay: true });
    c.send(Buffer.from('c'));
    x.run(110);
    expect(x.said()).toEqual(['100 P. 3:4 ack 1 win 65535']);
  });

  test('TCP_CORK: nothing small goes out, for 200 ms', () => {
    const x = new Script();
    const c = x.accepted(0);
    c.configure({ cork: true });
    c.send(Buffer.alloc(1500));
    x.run(100 * MS);
    expect(x.said()).toEqual(['10 . 1:1001 ack 1 win 65535']);
    x.give(100 * MS, '.', { seq: 1, ack: 1001 });
    x.run(S);
    expect(x.said()).toEqual(['300000 P. 1001:1501 ack 1 win 65535', '599990 P. 1001:1501 ack 1 win 65535']);
  });

  test('the time-out doubles (RFC 6298), and fifteen of them end the connection', () => {
    const x = new Script();
    const c = x.accepted(0);
    c.send(Buffer.from('lost'));
    x.run(2000 * S);
    const times = x.said().map((line) => (Number(line.split(' ')[0]) - 10) / S);
    expect(times).toEqual([0, 1, 3, 7, 15, 31, 63, 127, 247, 367, 487, 607, 727, 847, 967, 1087]);
    expect([c.state, c.error]).toEqual(['CLOSED', Errno.ETIMEDOUT]);
  });

  test('the round-trip time is measured: the next time-out is that and 200 ms', () => {
    const x = new Script();
    const c = x.accepted(0);
    c.send(Buffer.from('one'));
    x.give(100 * MS, '.', { seq: 1, ack: 4 });
    c.send(Buffer.from('two'));
    x.run(100 * MS);
    x.said();
    x.run(400 * MS);
    // SRTT 99.99 ms, RTTVAR half of it: RTO = 99.99 + max(200, 199.98).
    expect(x.said()).toEqual(['399990 P. 4:7 ack 1 win 65535']);
  });

  test('three duplicate ACKs send the first segment again, a partial ACK the next (RFC 6582)', () => {
    const x = new Script();
    const c = x.accepted(0);
    c.send(Buffer.alloc(6000));
    x.run(20);
    expect(x.said().length).toBe(6);
    x.give(100, '.', { seq: 1, ack: 1 });
    x.give(110, '.', { seq: 1, ack: 1 });
    expect(x.said()).toEqual([]);
    x.give(120, '.', { seq: 1, ack: 1 });
    expect(x.said()).toEqual(['120 . 1:1001 ack 1 win 65535']);
    expect([c.cwnd, c.ssthresh, c.recovery]).toEqual([3000, 3000, 'fast']);
    x.give(200, '.', { seq: 1, ack: 3001 });
    expect(x.said()).toEqual(['200 . 3001:4001 ack 1 win 65535']);
    x.give(300, '.', { seq: 1, ack: 6001 });
    expect(c.recovery).toBe('open');
    x.run(10 * S);
    expect(x.said()).toEqual([]);
  });

  test('SACK: exactly the holes are sent again (RFC 6675)', () => {
    const x = new Script();
    const c = x.accepted(0, { mss: 1000, sackPermitted: true });
    c.send(Buffer.alloc(8000));
    x.run(20);
    x.said();
    const sacks = [[2001, 3001], [2001, 4001], [2001, 4001, 5001, 6001], [2001, 4001, 5001, 8001]];
    for (const [i, blocks] of sacks.entries()) x.give(100 + i, '.', { seq: 1, ack: 1001, options: { sack: blocks.map((edge) => (x.iss + edge) >>> 0) } });
    expect(x.said()).toEqual(['102 . 1001:2001 ack 1 win 65535', '103 . 4001:5001 ack 1 win 65535']);
    x.give(200, '.', { seq: 1, ack: 8001 });
    expect([c.recovery, c.sndUna === c.sndNxt]).toEqual(['open', true]);
  });

  test('a closed window is probed, ever more rarely, and the connection lives as long as it is answered', () => {
    const x = new Script();
    const c = x.accepted(0);
    c.send(Buffer.alloc(1000));
    x.give(100, '.', { seq: 1, ack: 1001, win: 0 });
    c.send(Buffer.from('waiting'));
    x.said();
    const probes: number[] = [];
    for (let t = 100 * MS; t < 60 * S; t += 100 * MS) {
      x.run(t);
      if (x.said().some((line) => line.includes('. 1000 ack 1'))) {
        probes.push(t);
        x.give(t, '.', { seq: 1, ack: 1001, win: 0 });
      }
    }
    expect(probes.length).toBeGreaterThan(4);
    x.give(60 * S, '.', { seq: 1, ack: 1001, win: 4000 });
    expect(x.said()).toEqual([`${60 * S} P. 1001:1008 ack 1 win 65535`]);
  });

  test('a tiny window is not filled before the override time (silly window)', () => {
    const x = new Script();
    const c = x.accepted(0);
    c.send(Buffer.alloc(1000));
    x.give(100, '.', { seq: 1, ack: 1001, win: 10 });
    c.send(Buffer.alloc(500));
    x.said();
    x.run(100 * MS);
    expect(x.said()).toEqual([]);
    x.run(S);
    expect(x.said()[0]).toMatch(/\. 1001:1011 ack 1/);
  });

  test('"fragmentation needed" makes the segments smaller at once', () => {
    const x = new Script();
    const c = x.accepted(0, { mss: 1460 });
    c.send(Buffer.alloc(2920));
    x.run(20);
    expect(x.said()).toEqual(['10 . 1:1461 ack 1 win 65535', '10 P. 1461:2921 ack 1 win 65535']);
    x.fragmentationNeeded(c, 1000);
    x.run(200);
    expect(x.said().slice(0, 3)).toEqual(['100 . 1:961 ack 1 win 65535', '100 . 961:1921 ack 1 win 65535', '100 . 1921:2881 ack 1 win 65535']);
  });
});

describe('receiving', () => {
  test('what comes early is kept and told by SACK, what fills the hole is acknowledged at once', () => {
    const x = new Script();
    const c = x.accepted(0, { mss: 1000, sackPermitted: true });
    x.give(100, '.', { seq: 11, ack: 1, data: 'cccccccccc' });
    x.give(200, '.', { seq: 31, ack: 1, data: 'eeeeeeeeee' });
    expect(x.said()).toEqual(['100 . 1 ack 1 win 65535 <sack 11-21>', '200 . 1 ack 1 win 65535 <sack 31-41-11-21>']);
    x.give(300, '.', { seq: 1, ack: 1, data: 'bbbbbbbbbb' });
    expect(x.said()).toEqual(['300 . 1 ack 21 win 65515 <sack 31-41>']);
    x.give(400, '.', { seq: 15, ack: 1, data: 'xxxxxxdddddddddd' });
    expect(Buffer.from(c.receive(100)).toString()).toBe('bbbbbbbbbbccccccccccddddddddddeeeeeeeeee');
  });

  test('every second full segment is acknowledged', () => {
    const x = new Script();
    x.accepted(0);
    for (let i = 0; i < 4; i++) x.give(100 + i, '.', { seq: 1 + i * 1000, ack: 1, data: 1000 });
    expect(x.said().map((line) => line.split(' ').slice(0, 5).join(' '))).toEqual(['101 . 1 ack 2001', '103 . 1 ack 4001']);
  });

  test('the window closes as the buffer fills, opens again when a worthwhile part was read, and its edge never goes back', () => {
    const x = new Script();
    const c = x.accepted(0);
    c.configure({ receiveBuffer: 8000 });
    let edge = 0;
    for (let i = 0; i < 70; i++) {
      x.give(100 + i, '.', { seq: 1 + i * 1000, ack: 1, data: 1000 });
      for (const line of x.said()) {
        const [, , , , ack, , win] = line.split(' ');
        expect(Number(ack) + Number(win)).toBeGreaterThanOrEqual(edge);
        edge = Number(ack) + Number(win);
      }
    }
    expect(c.available).toBe(65_535);
    c.receive(65_000);
    x.run(300);
    expect(x.said().at(-1)).toMatch(/ack 65536 win 3465$/);
  });

  test('urgent data: the mark, the byte out of line', () => {
    const x = new Script();
    const c = x.accepted(0);
    x.give(100, 'PU.', { seq: 1, ack: 1, data: 'abX', urgent: 3 });
    x.give(200, 'P.', { seq: 4, ack: 1, data: 'cd' });
    expect(Buffer.from(c.receive(10)).toString()).toBe('ab');
    expect(c.urgentByte).toBe('X'.charCodeAt(0));
    expect(Buffer.from(c.receive(10)).toString()).toBe('cd');
  });
});

describe('closing', () => {
  test('we first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT for a minute that a repeated FIN starts anew', () => {
    const x = new Script();
    const c = x.accepted(0);
    c.close();
    x.run(50);
    expect([x.said(), c.state]).toEqual([['10 F. 1 ack 1 win 65535'], 'FIN_WAIT_1']);
    x.give(100, '.', { seq: 1, ack: 2 });
    expect(c.state).toBe('FIN_WAIT_2');
    x.give(200, 'F.', { seq: 1, ack: 2 });
    expect(x.said()).toEqual(['200 . 2 ack 2 win 65534']);
    expect(x.tcp.timeWaits.size).toBe(1);
    x.give(30 * S, 'F.', { seq: 1, ack: 2 });
    expect(x.said()).toEqual([`${30 * S} . 2 ack 2 win 65534`]);
    x.run(89 * S);
    expect(x.tcp.timeWaits.size).toBe(1);
    x.run(91 * S);
    expect(x.tcp.timeWaits.size).toBe(0);
    expect(x.said()).toEqual([]);
  });

  test('a new SYN with a higher number takes a connection out of TIME-WAIT', () => {
    const x = new Script();
    const c = x.accepted(0);
    c.close();
    x.give(100, 'F.', { seq: 1, ack: 2 });
    x.said();
    x.give(200, 'S', { seq: 1 });
    expect(x.said()).toEqual(['200 . 2 ack 2 win 65534']);
    x.give(300, 'S', { seq: 100 });
    expect(x.said()).toEqual(['300 S. 0 ack 101 win 65535 <mss 1460>']);
    expect(x.tcp.timeWaits.size).toBe(0);
  });

  test('the peer first: CLOSE-WAIT, half open the other way, LAST-ACK, gone', () => {
    const x = new Script();
    const c = x.accepted(0);
    x.give(100, 'F.', { seq: 1, ack: 1, data: 'bye' });
    expect(x.said()).toEqual(['100 . 1 ack 5 win 65531']);
    expect([c.state, c.ended, Buffer.from(c.receive(10)).toString(), c.ended]).toEqual(['CLOSE_WAIT', false, 'bye', true]);
    c.send(Buffer.from('more'));
    // RFC 4022: tcpCurrEstab counts CLOSE-WAIT as well.
    expect(x.tcp.established).toBe(1);
    c.close();
    x.run(150);
    expect(x.said()).toEqual(['100 P. 1:5 ack 5 win 65531', '100 F. 5 ack 5 win 65531']);
    expect([c.state, x.tcp.established]).toEqual(['LAST_ACK', 0]);
    x.give(200, '.', { seq: 5, ack: 6 });
    expect([c.state, c.error]).toEqual(['CLOSED', 0]);
  });

  test('both at once: CLOSING, TIME-WAIT', () => {
    const x = new Script();
    const c = x.accepted(0);
    c.close();
    x.give(100, 'F.', { seq: 1, ack: 1 });
    expect(c.state).toBe('CLOSING');
    x.give(200, '.', { seq: 2, ack: 2 });
    expect([c.state, x.tcp.timeWaits.size]).toEqual(['CLOSED', 1]);
  });

  test('closing with unread input, or with a linger time of 0, resets', () => {
    const x = new Script();
    const c = x.accepted(0);
    x.give(100, 'P.', { seq: 1, ack: 1, data: 'unread' });
    c.close();
    x.run(200);
    expect(x.said()).toEqual(['100 R. 1 ack 7']);
    expect(c.state).toBe('CLOSED');
  });

  test('data for a closed socket is answered with a reset', () => {
    const x = new Script();
    const c = x.accepted(0);
    c.close();
    x.give(100, '.', { seq: 1, ack: 2 });
    x.said();
    x.give(200, 'P.', { seq: 1, ack: 2, data: 'late' });
    expect(x.said()[0]).toMatch(/^200 R\.? 2/);
    expect(c.state).toBe('CLOSED');
  });

  test('an orphan leaves FIN-WAIT-2 after a minute without a word', () => {
    const x = new Script();
    const c = x.accepted(0);
    c.close();
    x.give(100, '.', { seq: 1, ack: 2 });
    x.said();
    x.run(59 * S);
    expect(c.state).toBe('FIN_WAIT_2');
    x.run(61 * S);
    expect([c.state, x.said()]).toEqual(['CLOSED', []]);
  });

  test('keepalive: probes after the idle time, a reset and ETIMEDOUT when none is answered', () => {
    const x = new Script();
    const listener = x.listen();
    listener.configure({ keepAlive: true, keepIdle: 10e9, keepInterval: 1e9, keepCount: 3 });
    x.shakeHands(0, { options: { mss: 1000 } }, 0);
    const c = listener.accept();
    x.run(10 * S);
    expect(x.said()).toEqual([`${10 * S} . 0 ack 1 win 65535`]);
    x.give(10 * S + 100, '.', { seq: 1, ack: 1 });
    x.run(60 * S);
    expect(x.said().map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['20000100 .', '21000100 .', '22000100 .', '23000100 R.']);
    expect([c?.state, c?.error]).toEqual(['CLOSED', Errno.ETIMEDOUT]);
  });

  test('a listener that goes resets who waits in it and forgets who is half open', () => {
    const x = new Script();
    const listener = x.listen();
    x.shakeHands(0, { port: 1 });
    x.give(20, 'S', { port: 2 });
    x.said();
    listener.close();
    x.run(30);
    expect(x.said().length).toBe(1);
    expect([x.tcp.halfOpen.count, [...x.tcp.ports.all()].length]).toEqual([0, 0]);
  });
});
