import { Errno } from '../../base/index.js';
import { NO_TCP_OPTIONS, TcpFlag, type TcpOptions } from '../wire/index.js';
import type { TcpConnection } from './connection.js';
import { DELAYED_ACK, MAX_RTO, MIN_MSS, MIN_RTO_VARIANCE, WINDOW_SCALE } from './parameters.js';
import { nextLost, nextRescue, pipe } from './recovery.js';
import { after, before, distance, earliest, plus } from './sequence.js';

const NO_BYTES = new Uint8Array(0);
/** Bytes the timestamps take in every segment. */
const TIMESTAMP_BYTES = 12;
/** Linux holds a corked segment for at most so long (tcp(7)). */
const CORK_CEILING = 200e6;

// ---- retransmission time-out (RFC 6298)

/** In cycles, with the backoff. */
export function rto(c: TcpConnection): number {
  const { clock } = c.tcp.net;
  const base = c.srtt === 0 ? c.initialRto : c.srtt + Math.max(clock.toCycles(MIN_RTO_VARIANCE), 4 * c.rttvar);
  return Math.ceil(Math.min(base * 2 ** Math.min(c.backoff, 30), clock.toCycles(MAX_RTO)));
}

export function startRetransmitTimer(c: TcpConnection): void {
  c.retransmitAt = c.tcp.net.clock.cycles + rto(c);
  c.arm();
}

// ---- the window we offer

/** The right edge never moves back, and moves forth in steps worth a segment (RFC 9293 section 3.8.6.2.2). */
function offerWindow(c: TcpConnection): number {
  const limit = Math.min(c.settings.receiveBuffer >>> 1, 0xffff * 2 ** c.rcvScale);
  const space = Math.max(0, limit - c.receiveQueue.length);
  const offered = after(c.rcvAdv, c.rcvNxt) ? distance(c.rcvNxt, c.rcvAdv) : 0;
  const unit = 2 ** c.rcvScale;
  const opens = space - offered >= Math.min(c.rcvMss, limit >>> 1);
  const header = Math.min(0xffff, opens ? Math.floor(space / unit) : Math.ceil(offered / unit));
  c.rcvAdv = plus(c.rcvNxt, header * unit);
  return header;
}

/** The user has read: tell the peer when that opens the window by a worthwhile step. */
export function windowAfterRead(c: TcpConnection): void {
  if (c.state !== 'ESTABLISHED' && c.state !== 'FIN_WAIT_1' && c.state !== 'FIN_WAIT_2') return;
  const limit = c.settings.receiveBuffer >>> 1;
  const space = Math.max(0, limit - c.receiveQueue.length);
  const offered = after(c.rcvAdv, c.rcvNxt) ? distance(c.rcvNxt, c.rcvAdv) : 0;
  const step = space - offered;
  if (step >= Math.min(2 * c.rcvMss, limit >>> 1) || (offered === 0 && step >= Math.min(c.rcvMss, limit >>> 1))) sendAck(c);
}

// ---- options

function timestampOf(c: TcpConnection): TcpOptions['timestamp'] {
  return c.timestamps ? { value: c.tcp.timestamp(c.localAddress, c.remoteAddress), echo: c.tsRecent } : null;
}

/** What has come out of order, the latest first (RFC 2018 section 4). */
function sackBlocks(c: TcpConnection): number[] {
  if (!c.sackPermitted || c.early.length === 0) return [];
  const blocks: number[] = [];
  for (const { sequence, bytes } of c.early) {
    const end = plus(sequence, bytes.length);
    if (blocks.length > 0 && blocks[blocks.length - 1] === sequence) blocks[blocks.length - 1] = end;
    else blocks.push(sequence, end);
  }
  const latest = c.earlyLatest;
  for (let i = 0; i < blocks.length; i += 2) {
    if (before(latest, blocks[i]) || !before(latest, blocks[i + 1])) continue;
    blocks.unshift(...blocks.splice(i, 2));
    break;
  }
  return blocks.slice(0, c.timestamps ? 6 : 8);
}

// ---- single segments

/** Our SYN, or in SYN-RECEIVED (both opened at once) the SYN with its ACK. */
export function sendSyn(c: TcpConnection): void {
  const { tcp } = c;
  const limit = c.settings.receiveBuffer >>> 1;
  const window = Math.min(limit, 0xffff);
  const answering = c.state === 'SYN_RECEIVED';
  const mss = ownMss(c);
  const options: TcpOptions = { mss, windowScale: answering && !c.scaling ? -1 : WINDOW_SCALE, sackPermitted: c.sackPermitted, sack: [], timestamp: timestampOf(c) };
  c.rcvAdv = plus(c.rcvNxt, window);
  c.sndNxt = plus(c.iss, 1);
  if (c.retries === 0) {
    c.timedAt = tcp.net.clock.cycles;
    c.timedEnd = c.sndNxt;
    c.firstSentAt = c.timedAt;
  }
  c.lastAck = c.rcvNxt;
  tcp.emit(c, c.settings, { sequence: c.iss, acknowledgment: answering ? c.rcvNxt : 0, flags: TcpFlag.SYN | (answering ? TcpFlag.ACK : 0), window, options });
  startRetransmitTimer(c);
}

/** What we announce as the largest segment we take (RFC 9293 section 3.7.1, RFC 6691: without options). */
export function ownMss(c: TcpConnection): number {
  const { maxSegment, device } = c.settings;
  const route = c.tcp.pathMss(c.remoteAddress, device);
  return Math.max(MIN_MSS, maxSegment > 0 ? Math.min(maxSegment, route) : route);
}

export function sendAck(c: TcpConnection): void {
  c.ackAt = Infinity;
  const options: TcpOptions = { ...NO_TCP_OPTIONS, timestamp: timestampOf(c), sack: sackBlocks(c) };
  c.lastAck = c.rcvNxt;
  c.tcp.emit(c, c.settings, { sequence: c.sndNxt, acknowledgment: c.rcvNxt, flags: TcpFlag.ACK, window: offerWindow(c), options });
}

/** An ACK within the time RFC 9293 section 3.8.6.3 allows. */
export function delayAck(c: TcpConnection): void {
  if (c.ackAt !== Infinity) return;
  const { clock } = c.tcp.net;
  c.ackAt = clock.cycles + clock.toCycles(DELAYED_ACK);
  c.arm();
}

/** Keepalive and window probe: a sequence number the peer has acknowledged, so that it must answer. */
export function sendProbe(c: TcpConnection): void {
  c.tcp.count('TcpExt.TCPWinProbe');
  c.tcp.emit(c, c.settings, {
    sequence: plus(c.sndUna, -1), acknowledgment: c.rcvNxt, flags: TcpFlag.ACK, window: offerWindow(c), options: { ...NO_TCP_OPTIONS, timestamp: timestampOf(c) },
  });
}

export function sendResetOf(c: TcpConnection): void {
  c.tcp.emit(c, c.settings, { sequence: c.sndNxt, acknowledgment: c.rcvNxt, flags: TcpFlag.RST | TcpFlag.ACK, window: 0 });
}

// ---- data

/** Payload a segment takes now: what peer and path allow, less the options. */
export function segmentRoom(c: TcpConnection): number {
  const { maxSegment, device } = c.settings;
  const path = Math.min(c.peerMss, c.tcp.pathMss(c.remoteAddress, device), maxSegment > 0 ? maxSegment : Infinity);
  return Math.max(MIN_MSS - TIMESTAMP_BYTES, path - (c.timestamps ? TIMESTAMP_BYTES : 0));
}

/** Sequence number behind the last byte that is queued, the FIN not counted. */
export function queueEnd(c: TcpConnection): number {
  return plus(c.queueStart, c.sendQueue.length);
}

function maySendData(c: TcpConnection): boolean {
  return c.state === 'ESTABLISHED' || c.state === 'CLOSE_WAIT' || c.state === 'FIN_WAIT_1' || c.state === 'CLOSING' || c.state === 'LAST_ACK';
}

interface Piece {
  sequence: number;
  length: number;
  fin: boolean;
  again: boolean;
}

/** Send what may be sent now: first what is lost, then what is new. `more`: the user will go on writing (MSG_MORE). */
export function output(c: TcpConnection, more = false): void {
  if (!maySendData(c)) return;
  const room = segmentRoom(c);
  restartAfterIdle(c, room);
  for (;;) {
    const piece = nextPiece(c, room, more);
    if (!piece) break;
    const sent = sendPiece(c, piece);
    if (sent === -Errno.EMSGSIZE) return output(c, more);
    if (sent < 0) break;
  }
  armAfterOutput(c, more);
}

/** RFC 5681 section 4.1: after an idle time-out the window begins anew. */
function restartAfterIdle(c: TcpConnection, room: number): void {
  if (c.sndUna !== c.sndNxt || c.cwnd === 0) return;
  if (c.tcp.net.clock.cycles - c.lastSent > rto(c)) c.cwnd = Math.min(c.cwnd, initialWindow(room));
}

export function initialWindow(room: number): number {
  return 10 * room;
}

function nextPiece(c: TcpConnection, room: number, more: boolean): Piece | null {
  const inFlight = pipe(c, room);
  const allowed = c.cwnd - inFlight;
  // The first lost segment goes out whatever the window says (RFC 6675 step 4.3, RFC 6582).
  const first = c.recovery === 'fast' && !after(c.highRxt, c.sndUna);
  if (c.recovery !== 'open' && (allowed >= room || inFlight === 0 || first)) {
    const lost = nextLost(c);
    if (lost) return again(c, lost.start, lost.end, room);
  }
  const fresh = nextFresh(c, room, allowed, inFlight, more);
  if (fresh) return fresh;
  if (c.recovery !== 'fast' || allowed < room) return null;
  const rescue = nextRescue(c);
  return rescue ? again(c, rescue.start, rescue.end, room) : null;
}

/** A piece of what was sent before, which may be the FIN. */
function again(c: TcpConnection, start: number, end: number, room: number): Piece {
  const dataEnd = earliest(queueEnd(c), end);
  const length = before(start, dataEnd) ? Math.min(distance(start, dataEnd), room) : 0;
  const fin = c.finQueued && plus(start, length) === queueEnd(c) && after(c.sndNxt, queueEnd(c));
  return { sequence: start, length, fin, again: true };
}

function nextFresh(c: TcpConnection, room: number, allowed: number, inFlight: number, more: boolean): Piece | null {
  const end = queueEnd(c);
  const sequence = c.sndNxt;
  if (after(sequence, end)) return null;
  const waiting = distance(sequence, end);
  const windowEnd = plus(c.sndUna, c.sndWnd);
  const window = after(windowEnd, sequence) ? distance(sequence, windowEnd) : 0;
  const length = Math.min(waiting, window, room);
  const fin = c.finQueued && length === waiting && (window > length || (waiting > 0 && length === waiting));
  if (length === 0 && !(fin && waiting === 0)) return null;
  if (allowed < Math.min(length, room) && inFlight > 0) return null;
  if (!worthSending(c, length, waiting, room, fin, more)) return null;
  return { sequence, length, fin, again: false };
}

/** Silly-window avoidance and Nagle's algorithm (RFC 9293 sections 3.8.6.2.1 and 3.7.4). */
function worthSending(c: TcpConnection, length: number, waiting: number, room: number, fin: boolean, more: boolean): boolean {
  if (length >= room || fin) return true;
  if (c.urgentOut && after(c.sndUp, c.sndNxt)) return true;
  if (length === waiting) {
    if (c.settings.cork || more) return false;
    if (c.settings.noDelay || c.sndNxt === c.sndUna) return true;
  }
  return length > 0 && length >= c.maxWnd / 2 && length < waiting;
}

function sendPiece(c: TcpConnection, piece: Piece): number {
  const { tcp } = c;
  const { clock } = tcp.net;
  const blocks = sackBlocks(c);
  // Blocks go along when the segment has room for them.
  const sack = piece.length + 4 + blocks.length * 4 <= segmentRoom(c) ? blocks : [];
  const payload = piece.length > 0 ? c.sendQueue.view(distance(c.queueStart, piece.sequence), piece.length) : NO_BYTES;
  const end = plus(piece.sequence, piece.length + (piece.fin ? 1 : 0));
  const last = plus(piece.sequence, piece.length) === queueEnd(c);
  let flags = TcpFlag.ACK | (piece.fin ? TcpFlag.FIN : 0) | (last && piece.length > 0 ? TcpFlag.PSH : 0);
  const urgent = c.urgentOut && after(c.sndUp, piece.sequence) ? Math.min(0xffff, distance(piece.sequence, c.sndUp)) : 0;
  if (urgent > 0) flags |= TcpFlag.URG;
  const options: TcpOptions = { ...NO_TCP_OPTIONS, timestamp: timestampOf(c), sack };
  const sent = tcp.emit(c, c.settings, { sequence: piece.sequence, acknowledgment: c.rcvNxt, flags, window: offerWindow(c), urgent, options, payload });
  if (sent === -Errno.EMSGSIZE) return sent;
  c.ackAt = Infinity;
  c.lastAck = c.rcvNxt;
  if (piece.again) {
    c.highRxt = end;
    c.totalRetransmits++;
    tcp.count('Tcp.RetransSegs');
    if (after(c.timedEnd, piece.sequence)) c.timedAt = -1;
  } else {
    if (c.sndUna === c.sndNxt) c.firstSentAt = clock.cycles;
    if (c.timedAt < 0) {
      c.timedAt = clock.cycles;
      c.timedEnd = end;
    }
  }
  if (after(end, c.sndNxt)) c.sndNxt = end;
  c.lastSent = clock.cycles;
  if (c.retransmitAt === Infinity || c.persisting) {
    c.persisting = false;
    startRetransmitTimer(c);
  }
  return sent;
}

/** With nothing under way and something that waits: probe the window, or look again when the cork's time is over. */
function armAfterOutput(c: TcpConnection, more: boolean): void {
  if (c.sndUna !== c.sndNxt || c.retransmitAt !== Infinity) return;
  const waits = before(c.sndNxt, queueEnd(c)) || (c.finQueued && c.sndNxt === queueEnd(c));
  if (!waits) return;
  const { clock } = c.tcp.net;
  c.persisting = true;
  c.retransmitAt = clock.cycles + (c.settings.cork || more ? clock.toCycles(CORK_CEILING) : rto(c));
  c.arm();
}

/** Send although it is little: the cork's time is over, or a small window has not grown (RFC 9293 section 3.8.6.2.1). */
export function forceOutput(c: TcpConnection): boolean {
  const windowEnd = plus(c.sndUna, c.sndWnd);
  const waiting = before(c.sndNxt, queueEnd(c)) ? distance(c.sndNxt, queueEnd(c)) : 0;
  const window = after(windowEnd, c.sndNxt) ? distance(c.sndNxt, windowEnd) : 0;
  const length = Math.min(waiting, window, segmentRoom(c));
  if (length === 0) return false;
  sendPiece(c, { sequence: c.sndNxt, length, fin: c.finQueued && length === waiting && window > length, again: false });
  return true;
}

