import type { TcpConnection } from './connection.js';
import { DUP_THRESHOLD } from './parameters.js';
import type { Range } from './ranges.js';
import { after, before, distance, latest, plus } from './sequence.js';

/**
 * Loss recovery. Between sndUna and sndNxt: what is in `sacked` has arrived; what is missing before `lostPoint` is taken
 * for lost; what of that lies before `highRxt` was sent again. RFC 6675 in these terms; without SACK the number of
 * duplicate ACKs stands for what has arrived (RFC 6582).
 */
export function pipe(c: TcpConnection, room: number): number {
  if (c.recovery === 'open' && c.sacked.bytes === 0 && c.dupAcks === 0) return c.unacknowledged;
  const lost = latest(c.lostPoint, c.sndUna);
  const bytes = c.sacked.missing(lost, c.sndNxt) + c.sacked.missing(c.sndUna, latest(c.highRxt, c.sndUna));
  return Math.max(0, bytes - (c.sackPermitted ? 0 : c.dupAcks * room));
}

/** RFC 6675 NextSeg rule 1. */
export function nextLost(c: TcpConnection): Range | null {
  return c.sacked.gap(latest(c.highRxt, c.sndUna), c.lostPoint);
}

/** Rules 3 and 4: a hole that is not yet certainly lost; then, once, the end, so that the ACK clock goes on. */
export function nextRescue(c: TcpConnection): Range | null {
  const highest = c.sacked.highest;
  if (highest === null) return null;
  const hole = c.sacked.gap(latest(c.highRxt, c.sndUna), highest);
  if (hole) return hole;
  if (c.rescued || !before(highest, c.recover) || after(c.highRxt, highest)) return null;
  c.rescued = true;
  return { start: highest, end: c.recover };
}

/** Everything below the point above which three pieces, or more than two segments' worth, have arrived (RFC 6675 IsLost). */
function findLost(c: TcpConnection, room: number): void {
  let pieces = 0;
  let bytes = 0;
  for (let i = c.sacked.list.length - 1; i >= 0; i--) {
    const { start, end } = c.sacked.list[i];
    pieces++;
    bytes += distance(start, end);
    if (pieces < DUP_THRESHOLD && bytes <= (DUP_THRESHOLD - 1) * room) continue;
    c.lostPoint = latest(c.lostPoint, start);
    return;
  }
}

/** An ACK that acknowledges nothing new, or brings news by SACK only. */
export function onDuplicateAck(c: TcpConnection, room: number): void {
  c.dupAcks++;
  findLost(c, room);
  if (c.recovery !== 'open') return;
  if (c.dupAcks < DUP_THRESHOLD && !after(c.lostPoint, c.sndUna)) return;
  // RFC 6582 section 3.2: not for what a time-out sent twice.
  if (c.retries > 0 || before(c.sndUna, c.recover)) return;
  c.tcp.count(c.sackPermitted ? 'TcpExt.TCPSackRecovery' : 'TcpExt.TCPRenoRecovery');
  c.recovery = 'fast';
  c.rescued = false;
  c.recover = c.sndNxt;
  c.ssthresh = Math.max(Math.floor(c.unacknowledged / 2), 2 * room);
  c.cwnd = c.ssthresh;
  c.highRxt = c.sndUna;
  c.lostPoint = latest(c.lostPoint, firstSegment(c, room));
}

function firstSegment(c: TcpConnection, room: number): number {
  const end = plus(c.sndUna, Math.min(room, c.unacknowledged));
  const gap = c.sacked.gap(c.sndUna, end);
  return gap ? gap.end : c.sndUna;
}

/** `acked` bytes are new; `underWay` were unacknowledged before. sndUna has moved. */
export function onNewAck(c: TcpConnection, acked: number, underWay: number, room: number): void {
  c.sacked.dropBefore(c.sndUna);
  c.lostPoint = latest(c.lostPoint, c.sndUna);
  c.highRxt = latest(c.highRxt, c.sndUna);
  if (c.recovery !== 'open' && !before(c.sndUna, c.recover)) return leaveRecovery(c, room);
  if (c.recovery === 'fast') {
    partialAck(c, acked, room);
    return;
  }
  if (c.recovery === 'loss') findLost(c, room);
  c.dupAcks = 0;
  grow(c, acked, underWay, room);
}

function leaveRecovery(c: TcpConnection, room: number): void {
  // RFC 6582 section 3.2 step 3, against a burst.
  if (c.recovery === 'fast') c.cwnd = Math.min(c.ssthresh, Math.max(c.unacknowledged, room) + room);
  c.recovery = 'open';
  c.dupAcks = 0;
  c.ackedBytes = 0;
  c.lostPoint = c.sndUna;
  c.highRxt = c.sndUna;
}

/** Some of what was under way at the loss is acknowledged: without SACK, the next segment is lost too. */
function partialAck(c: TcpConnection, acked: number, room: number): void {
  if (c.sackPermitted) {
    findLost(c, room);
    return;
  }
  c.dupAcks = Math.max(0, c.dupAcks - Math.max(0, Math.ceil(acked / room) - 1));
  c.highRxt = c.sndUna;
  c.lostPoint = firstSegment(c, room);
}

/** RFC 5681 section 3.1 with RFC 3465's byte counting; a window that is not used does not grow (RFC 7661). */
function grow(c: TcpConnection, acked: number, underWay: number, room: number): void {
  if (2 * underWay < c.cwnd) return;
  if (c.cwnd < c.ssthresh) {
    c.cwnd += Math.min(acked, c.recovery === 'loss' ? room : 2 * room);
    return;
  }
  if (underWay + room < c.cwnd) return;
  c.ackedBytes += acked;
  if (c.ackedBytes < c.cwnd) return;
  c.ackedBytes -= c.cwnd;
  c.cwnd += room;
}

/** RFC 5681 section 3.1: after a retransmission time-out everything is sent again, in slow start. */
export function onTimeout(c: TcpConnection, room: number): void {
  if (c.retries === 0) c.ssthresh = Math.max(Math.floor(c.unacknowledged / 2), 2 * room);
  // A receiver may take back what it acknowledged selectively (RFC 2018 section 8).
  else c.sacked.clear();
  c.cwnd = room;
  c.ackedBytes = 0;
  c.dupAcks = 0;
  c.recovery = 'loss';
  c.recover = c.sndNxt;
  c.lostPoint = c.sndNxt;
  c.highRxt = c.sndUna;
}

/** What is under way was too long for the path: it is lost for sure, and says nothing about congestion (RFC 1191 section 6.4). */
export function resendAll(c: TcpConnection): void {
  c.recovery = 'loss';
  c.recover = c.sndNxt;
  c.lostPoint = c.sndNxt;
  c.highRxt = c.sndUna;
}
