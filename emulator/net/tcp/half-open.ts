import { NO_TCP_OPTIONS, TcpFlag, type Address, type Packet, type TcpOptions, type TcpSegment } from '../wire/index.js';
import { TcpConnection } from './connection.js';
import { CONNECTION_BYTES, DEFAULT_MSS, INITIAL_RTO, MAX_WINDOW_SCALE, MIN_MSS, SYNACK_RETRIES, WINDOW_SCALE } from './parameters.js';
import { segmentIn } from './segment-in.js';
import { initialWindow, segmentRoom } from './segment-out.js';
import { startKeepalive } from './timers.js';
import { before, plus } from './sequence.js';
import type { HalfOpen } from './syn-queue.js';
import type { TcpStack } from './tcp-stack.js';

/** A segment for a listener, of no known connection (RFC 9293 section 3.10.7.2). `iss` -1: choose one. */
export function listenIn(tcp: TcpStack, listener: TcpConnection, packet: Packet, segment: TcpSegment, iss: number): void {
  const { flags } = segment;
  if (flags & TcpFlag.RST) return tcp.drop('tcp.listen-reset');
  if (flags & TcpFlag.ACK) {
    tcp.drop('tcp.listen-ack');
    return tcp.refuse(packet, segment);
  }
  if (!(flags & TcpFlag.SYN) || flags & TcpFlag.FIN) return tcp.drop('tcp.listen-flags');
  const own = listener.listener;
  if (!own) return;
  if (own.halfOpen >= tcp.synBacklog) return overflow(tcp, 'tcp.syn-queue-full', 'TcpExt.TCPReqQFullDrop');
  if (own.queue.length > own.backlog) return overflow(tcp, 'tcp.accept-queue-full', 'TcpExt.ListenOverflows');
  const entry = entryOf(tcp, own.id, packet, segment, iss);
  const { clock } = tcp.net;
  own.halfOpen++;
  const at = tcp.halfOpen.add(entry, clock.cycles + clock.toCycles(INITIAL_RTO));
  tcp.transition('LISTEN', 'SYN_RECEIVED');
  sendSynAck(tcp, tcp.halfOpen.get(at));
  tcp.armSynTimer();
}

function overflow(tcp: TcpStack, drop: string, counter: string): void {
  tcp.drop(drop);
  tcp.count(counter);
  tcp.count('TcpExt.ListenDrops');
}

function entryOf(tcp: TcpStack, listener: number, packet: Packet, segment: TcpSegment, iss: number): HalfOpen {
  const { options, sequence, window } = segment;
  const names = { localAddress: packet.destination, localPort: segment.destinationPort, remoteAddress: packet.source, remotePort: segment.sourcePort };
  return {
    local: names.localAddress, localPort: names.localPort, remote: names.remoteAddress, remotePort: names.remotePort,
    irs: sequence, iss: iss >= 0 ? iss : tcp.initialSequence(names), listener,
    mss: options.mss > 0 ? Math.max(options.mss, MIN_MSS) : DEFAULT_MSS, window,
    scale: Math.min(options.windowScale, MAX_WINDOW_SCALE), sack: options.sackPermitted,
    timestamps: options.timestamp !== null, tsRecent: options.timestamp?.value ?? 0,
  };
}

function namesOf(entry: HalfOpen): { localAddress: Address; localPort: number; remoteAddress: Address; remotePort: number } {
  return { localAddress: entry.local, localPort: entry.localPort, remoteAddress: entry.remote, remotePort: entry.remotePort };
}

function timestampOf(tcp: TcpStack, entry: HalfOpen): TcpOptions['timestamp'] {
  return entry.timestamps ? { value: tcp.timestamp(entry.local, entry.remote), echo: entry.tsRecent } : null;
}

function windowOf(listener: TcpConnection): number {
  return Math.min(listener.settings.receiveBuffer >>> 1, 0xffff);
}

function sendSynAck(tcp: TcpStack, entry: HalfOpen): void {
  const listener = tcp.listeners.get(entry.listener);
  if (!listener) return;
  const { maxSegment, device } = listener.settings;
  const route = tcp.pathMss(entry.remote, device);
  const options: TcpOptions = {
    mss: Math.max(MIN_MSS, maxSegment > 0 ? Math.min(maxSegment, route) : route), windowScale: entry.scale < 0 ? -1 : WINDOW_SCALE,
    sackPermitted: entry.sack, sack: [], timestamp: timestampOf(tcp, entry),
  };
  tcp.emit(namesOf(entry), listener.settings, { sequence: entry.iss, acknowledgment: plus(entry.irs, 1), flags: TcpFlag.SYN | TcpFlag.ACK, window: windowOf(listener), options });
}

/** The time of the first entries is over: answer again, or give up. */
export function repeatSynAcks(tcp: TcpStack): void {
  const { halfOpen, net } = tcp;
  for (let at = halfOpen.first(); at >= 0 && halfOpen.deadlineOf(at) <= net.clock.cycles; at = halfOpen.first()) {
    const tries = halfOpen.triesOf(at);
    if (tries >= SYNACK_RETRIES) {
      tcp.count('Tcp.AttemptFails');
      removeHalfOpen(tcp, at);
      continue;
    }
    halfOpen.again(at, halfOpen.deadlineOf(at) + net.clock.toCycles(INITIAL_RTO) * 2 ** (tries + 1));
    tcp.count('Tcp.RetransSegs');
    sendSynAck(tcp, halfOpen.get(at));
  }
}

export function removeHalfOpen(tcp: TcpStack, at: number): void {
  const listener = tcp.listeners.get(tcp.halfOpen.get(at).listener)?.listener;
  if (listener) listener.halfOpen--;
  tcp.halfOpen.remove(at);
  tcp.transition('SYN_RECEIVED', 'CLOSED');
}

/** A segment for a connection in passive SYN-RECEIVED (RFC 9293 section 3.10.7.4 with RFC 5961). */
export function halfOpenIn(tcp: TcpStack, at: number, packet: Packet, segment: TcpSegment): void {
  const entry = tcp.halfOpen.get(at);
  const rcvNxt = plus(entry.irs, 1);
  const { flags, sequence, acknowledgment } = segment;
  if (flags & TcpFlag.SYN && sequence === entry.irs && !(flags & (TcpFlag.ACK | TcpFlag.RST))) return sendSynAck(tcp, entry);
  const window = windowOf(tcp.listeners.get(entry.listener) as TcpConnection);
  const inside = !before(sequence, rcvNxt) && before(sequence, plus(rcvNxt, window));
  if (flags & TcpFlag.RST) {
    if (sequence === rcvNxt) return resetHalfOpen(tcp, at);
    if (inside && tcp.mayChallenge()) sendBareAck(tcp, entry);
    return tcp.drop('tcp.reset-sequence');
  }
  if (!inside && sequence !== rcvNxt) {
    tcp.drop('tcp.out-of-window');
    return sendBareAck(tcp, entry);
  }
  if (flags & TcpFlag.SYN) {
    if (tcp.mayChallenge()) sendBareAck(tcp, entry);
    return tcp.drop('tcp.syn-in-window');
  }
  if (!(flags & TcpFlag.ACK)) return tcp.drop('tcp.no-ack');
  if (acknowledgment !== plus(entry.iss, 1)) {
    tcp.drop('tcp.ack-invalid');
    return tcp.refuse(packet, segment);
  }
  establish(tcp, at, entry, segment);
}

function sendBareAck(tcp: TcpStack, entry: HalfOpen): void {
  const listener = tcp.listeners.get(entry.listener);
  if (!listener) return;
  tcp.emit(namesOf(entry), listener.settings, {
    sequence: plus(entry.iss, 1), acknowledgment: plus(entry.irs, 1), flags: TcpFlag.ACK, window: windowOf(listener), options: { ...NO_TCP_OPTIONS, timestamp: timestampOf(tcp, entry) },
  });
}

function resetHalfOpen(tcp: TcpStack, at: number): void {
  tcp.count('TcpExt.EmbryonicRsts');
  tcp.count('Tcp.AttemptFails');
  removeHalfOpen(tcp, at);
}

/** The third segment of the handshake: a connection for accept(), if there is room for it. */
function establish(tcp: TcpStack, at: number, entry: HalfOpen, segment: TcpSegment): void {
  const parent = tcp.listeners.get(entry.listener);
  const own = parent?.listener;
  if (!parent || !own) return;
  if (own.queue.length > own.backlog) return overflow(tcp, 'tcp.accept-queue-full', 'TcpExt.ListenOverflows');
  // TCP_DEFER_ACCEPT: an ACK without data does not count before the SYN-ACK was repeated so often.
  if (segment.payload.length === 0 && !(segment.flags & TcpFlag.FIN) && tcp.halfOpen.triesOf(at) < parent.settings.deferAccept) {
    tcp.drop('tcp.defer-accept');
    return tcp.count('TcpExt.TCPDeferAcceptDrop');
  }
  const child = childOf(tcp, parent, entry, segment);
  if (!child.charge(CONNECTION_BYTES)) return overflow(tcp, 'tcp.memory', 'TcpExt.ListenDrops');
  own.halfOpen--;
  tcp.halfOpen.remove(at);
  tcp.ports.addFlow(child);
  tcp.count('Tcp.PassiveOpens');
  child.setState('ESTABLISHED');
  startKeepalive(child);
  own.queue.push(child);
  segmentIn(child, segment);
  parent.tell(true, false);
}

function childOf(tcp: TcpStack, parent: TcpConnection, entry: HalfOpen, segment: TcpSegment): TcpConnection {
  const child = new TcpConnection(tcp);
  const now = tcp.net.clock.cycles;
  child.state = 'SYN_RECEIVED';
  child.settings = parent.settings;
  child.localAddress = entry.local;
  child.localPort = entry.localPort;
  child.remoteAddress = entry.remote;
  child.remotePort = entry.remotePort;
  child.iss = entry.iss;
  child.sndUna = child.sndNxt = child.queueStart = child.recover = child.lostPoint = child.highRxt = plus(entry.iss, 1);
  child.irs = entry.irs;
  child.rcvNxt = child.lastAck = plus(entry.irs, 1);
  child.rcvAdv = plus(child.rcvNxt, windowOf(parent));
  child.sackPermitted = entry.sack;
  child.timestamps = entry.timestamps;
  child.tsRecent = entry.tsRecent;
  child.sndScale = Math.max(0, entry.scale);
  child.rcvScale = entry.scale < 0 ? 0 : WINDOW_SCALE;
  child.peerMss = entry.mss;
  const room = segmentRoom(child);
  child.rcvMss = Math.min(room, DEFAULT_MSS);
  child.cwnd = initialWindow(room);
  child.sndWnd = child.maxWnd = segment.window * 2 ** child.sndScale;
  child.sndWl1 = segment.sequence;
  child.sndWl2 = segment.acknowledgment;
  child.lastReceived = now;
  return child;
}

