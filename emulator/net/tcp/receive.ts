import { Errno } from '../../base/index.js';
import { TcpFlag, type TcpSegment } from '../wire/index.js';
import type { TcpConnection } from './connection.js';
import { SEGMENT_OVERHEAD } from './parameters.js';
import { delayAck, sendAck } from './segment-out.js';
import { after, before, distance, latest, plus } from './sequence.js';

/** Urgent pointer, data and FIN of an acceptable segment (RFC 9293 section 3.10.7.4, sixth to eighth). */
export function takeIn(c: TcpConnection, segment: TcpSegment): void {
  const { flags, payload } = segment;
  if (c.state === 'CLOSED') return;
  const fin = (flags & TcpFlag.FIN) !== 0;
  if (payload.length === 0 && !fin) return;
  if (c.finReceived) {
    c.tcp.drop('tcp.after-fin');
    return sendAck(c);
  }
  if (c.state !== 'ESTABLISHED' && c.state !== 'FIN_WAIT_1' && c.state !== 'FIN_WAIT_2') return c.tcp.drop('tcp.not-open');
  if (flags & TcpFlag.URG) expectUrgent(c, segment);
  // Nobody will ever read it (RFC 2525 section 2.17).
  if (payload.length > 0 && c.readShutdown && c.state !== 'ESTABLISHED' && after(plus(segment.sequence, payload.length), c.rcvNxt)) {
    c.tcp.drop('tcp.unread');
    return c.abort('TcpExt.TCPAbortOnData');
  }
  if (payload.length > 0) c.rcvMss = Math.max(c.rcvMss, payload.length);
  const rcvBefore = c.rcvNxt;
  const held = c.early.length > 0;
  take(c, segment, fin);
  if (c.rcvNxt !== rcvBefore) c.tell(true, false);
  answer(c, rcvBefore, held, segment);
}

/** ACK at once what is out of order or fills a hole, and every second full segment (RFC 5681 section 4.2); the rest may wait. */
function answer(c: TcpConnection, rcvBefore: number, held: boolean, segment: TcpSegment): void {
  // In the meantime the connection may have gone into TIME-WAIT, which acknowledged the FIN.
  if (c.state === 'CLOSED') return;
  const moved = c.rcvNxt !== rcvBefore;
  const due = distance(c.lastAck, c.rcvNxt) >= 2 * c.rcvMss || distance(c.lastAck, c.rcvNxt) >= c.settings.receiveBuffer >>> 2;
  if (!moved || held || c.early.length > 0 || due || c.quickAck || segment.flags & TcpFlag.FIN) sendAck(c);
  else delayAck(c);
}

function take(c: TcpConnection, { sequence, payload }: TcpSegment, fin: boolean): void {
  const edge = latest(c.rcvAdv, c.rcvNxt);
  let start = sequence;
  let bytes = payload;
  if (before(start, c.rcvNxt)) {
    bytes = bytes.subarray(Math.min(bytes.length, distance(start, c.rcvNxt)));
    start = c.rcvNxt;
    if (bytes.length === 0 && !fin) return c.tcp.drop('tcp.duplicate');
  }
  const room = before(start, edge) ? distance(start, edge) : 0;
  const whole = bytes.length <= room;
  if (!whole) {
    bytes = bytes.subarray(0, room);
    c.tcp.drop('tcp.beyond-window');
  }
  if (start === c.rcvNxt) inOrder(c, bytes, fin && whole);
  else outOfOrder(c, start, bytes, fin && whole);
}

function inOrder(c: TcpConnection, bytes: Uint8Array, fin: boolean): void {
  if (bytes.length > 0 && !append(c, bytes)) return;
  joinEarly(c);
  if (fin && c.early.length === 0) finIn(c);
  else if (c.earlyFin >= 0 && c.earlyFin === c.rcvNxt) finIn(c);
}

/** False when there is no memory: the peer will send it again. */
function append(c: TcpConnection, bytes: Uint8Array): boolean {
  if (!c.readShutdown && !c.charge(bytes.length)) {
    c.tcp.count('TcpExt.TCPRcvQDrop');
    c.tcp.drop('tcp.memory');
    return false;
  }
  arriveUrgent(c, bytes);
  c.rcvNxt = plus(c.rcvNxt, bytes.length);
  c.received += bytes.length;
  // After shutdown(SHUT_RD) what comes is acknowledged and forgotten.
  if (!c.readShutdown) c.receiveQueue.append(bytes);
  return true;
}

function joinEarly(c: TcpConnection): void {
  while (c.early.length > 0 && !after(c.early[0].sequence, c.rcvNxt)) {
    const { sequence, bytes } = c.early[0];
    const known = distance(sequence, c.rcvNxt);
    if (known < bytes.length && !append(c, bytes.subarray(known))) return;
    c.early.shift();
    c.earlyBytes -= bytes.length;
    c.uncharge(bytes.length);
  }
}

/** Keep a piece until what precedes it comes; bounded by the receive buffer, with what each piece costs. */
function outOfOrder(c: TcpConnection, start: number, bytes: Uint8Array, fin: boolean): void {
  c.tcp.count('TcpExt.TCPOFOQueue');
  if (fin) c.earlyFin = plus(start, bytes.length);
  if (bytes.length === 0) return;
  const fresh = withoutKnown(c, start, bytes);
  if (fresh.length === 0) return c.tcp.drop('tcp.duplicate');
  for (const piece of fresh) {
    const held = c.earlyBytes + c.early.length * SEGMENT_OVERHEAD + c.receiveQueue.length;
    if (held + piece.bytes.length > c.settings.receiveBuffer || !c.charge(piece.bytes.length)) {
      c.tcp.count('TcpExt.TCPOFODrop');
      c.tcp.drop('tcp.early-full');
      return;
    }
    const at = c.early.findIndex(({ sequence }) => after(sequence, piece.sequence));
    c.early.splice(at < 0 ? c.early.length : at, 0, { sequence: piece.sequence, bytes: piece.bytes.slice() });
    c.earlyBytes += piece.bytes.length;
    c.earlyLatest = piece.sequence;
  }
}

/** The parts of a piece that are not kept already. */
function withoutKnown(c: TcpConnection, start: number, bytes: Uint8Array): { sequence: number; bytes: Uint8Array }[] {
  const fresh: { sequence: number; bytes: Uint8Array }[] = [];
  const end = plus(start, bytes.length);
  let at = start;
  for (const known of c.early) {
    const knownEnd = plus(known.sequence, known.bytes.length);
    if (!after(knownEnd, at)) continue;
    if (!before(known.sequence, end)) break;
    if (before(at, known.sequence)) fresh.push({ sequence: at, bytes: bytes.subarray(distance(start, at), distance(start, known.sequence)) });
    at = latest(at, knownEnd);
  }
  if (before(at, end)) fresh.push({ sequence: at, bytes: bytes.subarray(distance(start, at)) });
  return fresh;
}

// ---- the end of the peer's stream

function finIn(c: TcpConnection): void {
  c.rcvNxt = plus(c.rcvNxt, 1);
  c.finReceived = true;
  c.earlyFin = -1;
  c.done = true;
  c.tell(true, true);
  if (c.state === 'ESTABLISHED') {
    c.setState('CLOSE_WAIT');
  } else if (c.state === 'FIN_WAIT_1') {
    c.setState('CLOSING');
  } else {
    sendAck(c);
    c.tcp.enterTimeWait(c);
  }
}

// ---- urgent data, as far as telnet and its kin use it (RFC 6093; the pointer as all systems read it)

function expectUrgent(c: TcpConnection, { sequence, urgent }: TcpSegment): void {
  if (urgent === 0) return;
  const at = plus(sequence, urgent - 1);
  if (before(at, c.rcvNxt) || (c.urgentExpected && !after(at, c.rcvUp))) return;
  c.rcvUp = at;
  c.urgentExpected = true;
  c.tcp.count('TcpExt.TCPUrgentIn');
  c.tell(true, false);
}

function arriveUrgent(c: TcpConnection, bytes: Uint8Array): void {
  if (!c.urgentExpected || before(c.rcvUp, c.rcvNxt)) return;
  const offset = distance(c.rcvNxt, c.rcvUp);
  if (offset >= bytes.length) return;
  c.urgentExpected = false;
  c.urgentAt = c.receiveQueue.length + offset;
  if (!c.settings.oobInline) c.urgentByte = bytes[offset];
}

/** recv(MSG_OOB): the byte, EINVAL without one, EAGAIN when it is announced and not here. */
export function takeUrgent(c: TcpConnection, peek: boolean): number {
  if (c.settings.oobInline) return -Errno.EINVAL;
  if (c.urgentByte < 0) return c.urgentExpected ? -Errno.EAGAIN : -Errno.EINVAL;
  const byte = c.urgentByte;
  if (!peek) c.urgentByte = -1;
  return byte;
}
