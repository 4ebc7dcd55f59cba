import { snapshotClass } from '../../emulator/base/index.js';
import { ip, ipv4, IP_TCP, readEthernet, readIpv4, readTcp, TcpFlag, writeIcmp, writeIpv4, writeTcp, NO_TCP_OPTIONS, type TcpConnection, type TcpOptions } from '../../emulator/net/index.js';
import { CLIENT, Exchange, frame, inWords } from './exchange.js';

const LETTERS: readonly (readonly [string, number])[] = [
  ['S', TcpFlag.SYN], ['F', TcpFlag.FIN], ['R', TcpFlag.RST], ['P', TcpFlag.PSH], ['U', TcpFlag.URG], ['.', TcpFlag.ACK],
];

export interface Given {
  /** Relative to our first sequence number, and to the router's. */
  seq?: number;
  ack?: number;
  win?: number;
  data?: string | number;
  urgent?: number;
  options?: Partial<TcpOptions>;
  port?: number;
  to?: number;
}

/**
 * A connection written down segment by segment: what the client (192.168.1.10) sends at a time, what the router answers,
 * numbers counted from both SYNs. The client's first sequence number is just below the wrap.
 */
export class Script extends Exchange {
  irs = 0xffff_fff0;
  /** The router's first sequence number, once a SYN of it was seen. */
  iss = -1;

  constructor() {
    super();
    this.introduce();
    // Addresses are not what these exchanges are about.
    this.stack.arp.set(this.stack.interfaces[1], ip('192.168.1.10'), CLIENT);
  }

  get tcp(): Exchange['stack']['tcp'] {
    return this.stack.tcp;
  }

  /** The client sends; flags as tcpdump writes them. */
  give(time: number, letters: string, { seq = 0, ack = 0, win = 65_535, data = '', urgent = 0, options = {}, port = 5000, to = 80 }: Given = {}): void {
    const flags = LETTERS.reduce((sum, [letter, bit]) => (letters.includes(letter) ? sum | bit : sum), 0);
    const payload = typeof data === 'string' ? Buffer.from(data) : Buffer.alloc(data, 'x');
    const base = Math.max(this.iss, 0);
    const segment = {
      sourcePort: port, destinationPort: to, sequence: (this.irs + seq) >>> 0, acknowledgment: flags & TcpFlag.ACK ? (base + ack) >>> 0 : 0,
      flags, window: win, urgent, options: { ...NO_TCP_OPTIONS, ...options }, payload,
    };
    const [source, destination] = [ip('192.168.1.10'), ip('192.168.1.1')];
    this.inject(time, frame(ipv4({ source, destination, protocol: IP_TCP, payload: writeTcp(segment, source, destination) })));
    this.run(time);
  }

  /** What the router has sent since the last look: "time flags seq:end ack n win w <options>". */
  said(): string[] {
    return this.lan.received.splice(0).map(({ time, frame: bytes }) => `${time} ${this.words(bytes)}`);
  }

  private words(bytes: Uint8Array): string {
    const ethernet = readEthernet(bytes);
    const packet = typeof ethernet === 'string' || ethernet.type !== 0x800 ? null : readIpv4(ethernet.payload);
    if (!packet || typeof packet === 'string' || packet.protocol !== IP_TCP) return inWords(bytes);
    const segment = readTcp(packet.payload, packet.source, packet.destination);
    if (typeof segment === 'string') return segment;
    if (segment.flags & TcpFlag.SYN) this.iss = segment.sequence;
    const flags = LETTERS.map(([letter, bit]) => (segment.flags & bit ? letter : '')).join('');
    const base = Math.max(this.iss, 0);
    const start = segment.flags & TcpFlag.RST && this.iss < 0 ? segment.sequence : (segment.sequence - base) | 0;
    const length = segment.payload.length;
    const ack = segment.flags & TcpFlag.ACK ? ` ack ${(segment.acknowledgment - this.irs) | 0}` : '';
    const win = segment.flags & TcpFlag.RST ? '' : ` win ${segment.window}`;
    return `${flags} ${start}${length > 0 ? `:${start + length}` : ''}${ack}${win}${this.options(segment.options)}`;
  }

  private options({ mss, windowScale, sackPermitted, sack, timestamp }: TcpOptions): string {
    const words = [
      mss > 0 ? `mss ${mss}` : '', sackPermitted ? 'sackOK' : '', timestamp ? 'ts' : '', windowScale >= 0 ? `wscale ${windowScale}` : '',
      sack.length > 0 ? `sack ${sack.map((edge) => (edge - this.irs) | 0).join('-')}` : '',
    ].filter((word) => word !== '');
    return words.length > 0 ? ` <${words.join(',')}>` : '';
  }

  /** A router on the way says that the last segment was too long. */
  fragmentationNeeded(connection: TcpConnection, mtu: number): void {
    const quoted = new Uint8Array(8);
    new DataView(quoted.buffer).setUint16(0, connection.localPort);
    new DataView(quoted.buffer).setUint16(2, connection.remotePort);
    new DataView(quoted.buffer).setUint32(4, connection.sndUna);
    const lost = writeIpv4(ipv4({ source: ip('192.168.1.1'), destination: ip('192.168.1.10'), protocol: IP_TCP, payload: quoted, dontFragment: true }));
    const payload = writeIcmp({ type: 3, code: 4, rest: mtu, data: lost });
    this.inject(100, frame(ipv4({ source: ip('192.168.1.10'), destination: ip('192.168.1.1'), protocol: 1, payload })));
  }

  listen(backlog = 4): TcpConnection {
    const listener = this.tcp.socket();
    listener.bind(0, 80);
    listener.listen(backlog);
    return listener;
  }

  /** The client opens: its SYN at `time`, `wait` µs later its ACK. What the router says between them is not kept. */
  shakeHands(time: number, { options, port }: Pick<Given, 'options' | 'port'> = {}, wait = 10): void {
    this.give(time, 'S', { options, port });
    this.said();
    this.give(time + wait, '.', { seq: 1, ack: 1, port });
  }

  /** A connection of the router's to the client, from port 80 to 5000; its SYN is under way. */
  connecting(): TcpConnection {
    const connection = this.tcp.socket();
    connection.bind(0, 80);
    connection.connect(ip('192.168.1.10'), 5000);
    this.run(0);
    return connection;
  }

  /** A connection the client opened at `time`, with an MSS of 1000 and no other option. */
  accepted(time: number, options: Partial<TcpOptions> = { mss: 1000 }): TcpConnection {
    const listener = this.listen();
    this.shakeHands(time, { options });
    const connection = listener.accept();
    if (!connection) throw new Error('no connection');
    this.said();
    return connection;
  }
}
snapshotClass('test.Script', Script);
