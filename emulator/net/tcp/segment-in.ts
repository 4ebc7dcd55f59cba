import { Errno } from '../../base/index.js';
import { TcpFlag, type TcpSegment } from '../wire/index.js';
import type { TcpConnection } from './connection.js';
import { DEFAULT_MSS, INVALID_ACK_INTERVAL, MAX_WINDOW_SCALE, MIN_MSS, WINDOW_SCALE } from './parameters.js';
import { takeIn } from './receive.js';
import { onDuplicateAck, onNewAck } from './recovery.js';
import { initialWindow, output, queueEnd, segmentRoom, sendAck, sendSyn, startRetransmitTimer } from './segment-out.js';
import { after, before, distance, earliest, latest, plus } from './sequence.js';
import { startKeepalive } from './timers.js';

/** A segment for a connection: RFC 9293 section 3.10.7.3 and .4, in their order, with RFC 5961 and RFC 7323. */
export function segmentIn(c: TcpConnection, segment: TcpSegment): void {
  if (c.state === 'SYN_SENT') return synSentIn(c, segment);
  if (!acceptable(c, segment)) return;
  c.lastReceived = c.tcp.net.clock.cycles;
  const { flags } = segment;
  if (flags & TcpFlag.RST) return resetIn(c, segment);
  if (flags & TcpFlag.SYN) return synIn(c, segment);
  if (!(flags & TcpFlag.ACK)) return c.tcp.drop('tcp.no-ack');
  textIn(c, segment);
}

function textIn(c: TcpConnection, segment: TcpSegment): void {
  if (!ackIn(c, segment)) return;
  takeIn(c, segment);
  if (c.connected) output(c);
}

/** After both opened at once the peer's SYN comes again, alone or with the ACK of ours; any other SYN is asked about (RFC 5961 section 4). */
function synIn(c: TcpConnection, segment: TcpSegment): void {
  if (c.state !== 'SYN_RECEIVED' || segment.sequence !== c.irs) {
    c.tcp.drop('tcp.syn-in-window');
    return challenge(c);
  }
  if (segment.flags & TcpFlag.ACK) textIn(c, { ...segment, sequence: c.rcvNxt, flags: segment.flags & ~TcpFlag.SYN });
  else sendSyn(c);
}

function challenge(c: TcpConnection): void {
  if (c.tcp.mayChallenge()) sendAck(c);
}

/** An answer to something that does not fit, so that the peer learns where we are; rarely enough that two ends do not quarrel for ever. */
function answerInvalid(c: TcpConnection, segment: TcpSegment): void {
  const { clock } = c.tcp.net;
  if (segment.flags & TcpFlag.RST) return;
  if (segment.payload.length === 0 && clock.cycles - c.invalidAckAt < clock.toCycles(INVALID_ACK_INTERVAL)) {
    return c.tcp.count('TcpExt.TCPACKSkippedSeq');
  }
  if (segment.payload.length === 0) c.invalidAckAt = clock.cycles;
  sendAck(c);
}

// ---- first: is it for now?

function acceptable(c: TcpConnection, segment: TcpSegment): boolean {
  const { flags, sequence, payload, options } = segment;
  const { timestamp } = options;
  if (c.timestamps && timestamp && before(timestamp.value, c.tsRecent) && !(flags & TcpFlag.RST)) {
    c.tcp.count('TcpExt.PAWSEstab');
    c.tcp.drop('tcp.old-timestamp');
    answerInvalid(c, segment);
    return false;
  }
  const end = plus(sequence, payload.length + (flags & TcpFlag.SYN ? 1 : 0) + (flags & TcpFlag.FIN ? 1 : 0));
  const edge = latest(c.rcvAdv, c.rcvNxt);
  if (before(end, c.rcvNxt) || after(sequence, edge) || (sequence === edge && end !== sequence && edge !== c.rcvNxt)) {
    c.tcp.drop('tcp.out-of-window');
    answerInvalid(c, segment);
    return false;
  }
  if (timestamp && c.timestamps && !after(sequence, c.lastAck) && !before(timestamp.value, c.tsRecent)) c.tsRecent = timestamp.value;
  return true;
}

// ---- reset

/** RFC 5961 section 3: only the very next sequence number resets; others in the window are asked about. */
function resetIn(c: TcpConnection, segment: TcpSegment): void {
  if (segment.sequence !== c.rcvNxt) {
    c.tcp.drop('tcp.reset-sequence');
    return challenge(c);
  }
  if (c.state === 'SYN_RECEIVED') {
    c.tcp.count('Tcp.AttemptFails');
    return c.die(Errno.ECONNREFUSED);
  }
  if (c.state === 'ESTABLISHED' || c.state === 'CLOSE_WAIT') c.tcp.count('Tcp.EstabResets');
  const late = c.state === 'CLOSING' || c.state === 'LAST_ACK';
  c.die(late ? 0 : c.state === 'CLOSE_WAIT' ? Errno.EPIPE : Errno.ECONNRESET);
}

// ---- opening

function synSentIn(c: TcpConnection, segment: TcpSegment): void {
  const { flags, acknowledgment } = segment;
  const acknowledged = (flags & TcpFlag.ACK) !== 0;
  if (acknowledged && acknowledgment !== c.sndNxt) {
    c.tcp.drop('tcp.ack-invalid');
    if (!(flags & TcpFlag.RST)) c.tcp.emit(c, c.settings, { sequence: acknowledgment, acknowledgment: 0, flags: TcpFlag.RST, window: 0 });
    return;
  }
  if (flags & TcpFlag.RST) {
    if (!acknowledged) return c.tcp.drop('tcp.reset-sequence');
    c.tcp.count('Tcp.AttemptFails');
    return c.die(Errno.ECONNREFUSED);
  }
  if (!(flags & TcpFlag.SYN)) return c.tcp.drop('tcp.no-syn');
  agree(c, segment);
  if (acknowledged) {
    opened(c, segment);
    takeIn(c, { ...segment, sequence: plus(segment.sequence, 1), flags: flags & ~TcpFlag.SYN });
    // The third segment carries data if there is some; otherwise it goes alone and at once.
    const acknowledgedBefore = c.lastAck;
    output(c);
    if (c.connected && c.lastAck === acknowledgedBefore) sendAck(c);
    return;
  }
  // Both opened at once (RFC 9293 section 3.5, figure 7).
  c.setState('SYN_RECEIVED');
  c.retries = 0;
  sendSyn(c);
}

/** What both SYNs say (RFC 7323 section 2.2, RFC 2018 section 2). */
function agree(c: TcpConnection, segment: TcpSegment): void {
  const { options, sequence } = segment;
  c.irs = sequence;
  c.rcvNxt = plus(sequence, 1);
  c.lastAck = sequence;
  c.rcvAdv = plus(c.rcvNxt, Math.min(c.settings.receiveBuffer >>> 1, 0xffff));
  c.peerMss = options.mss > 0 ? Math.max(options.mss, MIN_MSS) : DEFAULT_MSS;
  c.scaling = options.windowScale >= 0;
  c.sndScale = c.scaling ? Math.min(options.windowScale, MAX_WINDOW_SCALE) : 0;
  c.rcvScale = c.scaling ? WINDOW_SCALE : 0;
  c.sackPermitted &&= options.sackPermitted;
  c.timestamps &&= options.timestamp !== null;
  c.tsRecent = options.timestamp?.value ?? 0;
  c.sndWnd = c.maxWnd = segment.window;
  c.sndWl1 = sequence;
}

/** Our SYN is acknowledged. */
function opened(c: TcpConnection, segment: TcpSegment): void {
  c.sndUna = c.queueStart = c.lostPoint = c.highRxt = c.recover = segment.acknowledgment;
  c.sndWl2 = segment.acknowledgment;
  const room = segmentRoom(c);
  // RFC 6298 section 5.7, RFC 6928 section 2: a SYN that had to be repeated is a bad sign.
  c.cwnd = c.retries > 1 ? room : initialWindow(room);
  c.rcvMss = Math.min(room, DEFAULT_MSS);
  if (c.timedAt >= 0) sampleRtt(c, c.tcp.net.clock.cycles - c.timedAt);
  c.timedAt = -1;
  c.retries = c.backoff = 0;
  c.retransmitAt = Infinity;
  c.lastReceived = c.lastSent = c.tcp.net.clock.cycles;
  c.setState(c.finQueued ? 'FIN_WAIT_1' : 'ESTABLISHED');
  startKeepalive(c);
  c.tell(true, true);
}

// ---- round-trip time

/** RFC 6298 section 2. */
function sampleRtt(c: TcpConnection, measured: number): void {
  const r = Math.max(measured, 1);
  if (c.srtt === 0) {
    c.srtt = r;
    c.rttvar = r / 2;
    return;
  }
  c.rttvar = (3 * c.rttvar + Math.abs(c.srtt - r)) / 4;
  c.srtt = (7 * c.srtt + r) / 8;
}

/** From the segment that was timed, or after a retransmission by the time stamp that comes back (RFC 7323 section 4). */
function measure(c: TcpConnection, segment: TcpSegment): void {
  const { clock } = c.tcp.net;
  if (c.timedAt >= 0 && !before(segment.acknowledgment, c.timedEnd)) {
    sampleRtt(c, clock.cycles - c.timedAt);
    c.timedAt = -1;
    return;
  }
  const echo = segment.options.timestamp?.echo ?? 0;
  if (c.timedAt >= 0 || !c.timestamps || echo === 0) return;
  const elapsed = distance(echo, c.tcp.timestamp(c.localAddress, c.remoteAddress));
  if (elapsed < 0x7fffffff) sampleRtt(c, clock.toCycles(Math.max(1, elapsed) * 1e6));
}

// ---- the acknowledgment

/** Whether the rest of the segment counts. */
function ackIn(c: TcpConnection, segment: TcpSegment): boolean {
  const { acknowledgment } = segment;
  if (c.state === 'SYN_RECEIVED') {
    if (acknowledgment !== c.sndNxt) {
      c.tcp.drop('tcp.ack-invalid');
      c.tcp.emit(c, c.settings, { sequence: acknowledgment, acknowledgment: 0, flags: TcpFlag.RST, window: 0 });
      return false;
    }
    opened(c, segment);
  }
  // RFC 5961 section 5.
  if (after(acknowledgment, c.sndNxt) || before(acknowledgment, plus(c.sndUna, -Math.max(c.maxWnd, 0xffff)))) {
    c.tcp.drop('tcp.ack-invalid');
    challenge(c);
    return false;
  }
  c.probes = 0;
  if (c.persisting) c.backoff = 0;
  const windowBefore = c.sndWnd;
  updateWindow(c, segment);
  const news = takeSack(c, segment);
  const room = segmentRoom(c);
  if (after(acknowledgment, c.sndUna)) newAck(c, segment, room);
  else if (acknowledgment === c.sndUna && c.sndUna !== c.sndNxt && segment.payload.length === 0 && !(segment.flags & TcpFlag.FIN)
    && (news || (!c.sackPermitted && c.sndWnd === windowBefore))) onDuplicateAck(c, room);
  return c.state !== 'CLOSED';
}

function updateWindow(c: TcpConnection, { sequence, acknowledgment, window }: TcpSegment): void {
  if (before(acknowledgment, c.sndUna)) return;
  if (!before(sequence, c.sndWl1) && (sequence !== c.sndWl1 || !before(acknowledgment, c.sndWl2))) {
    c.sndWnd = window * 2 ** c.sndScale;
    c.sndWl1 = sequence;
    c.sndWl2 = acknowledgment;
    c.maxWnd = Math.max(c.maxWnd, c.sndWnd);
    if (c.persisting && c.sndWnd > 0) {
      c.persisting = false;
      c.retransmitAt = Infinity;
    }
  }
}

function takeSack(c: TcpConnection, { options, acknowledgment }: TcpSegment): boolean {
  if (!c.sackPermitted) return false;
  let news = false;
  for (let i = 0; i + 1 < options.sack.length; i += 2) {
    const [start, end] = [options.sack[i], options.sack[i + 1]];
    // Blocks that lie below the acknowledgment report duplicates (RFC 2883); nonsense is ignored.
    if (!before(start, end) || !after(start, latest(acknowledgment, c.sndUna)) || after(end, c.sndNxt)) continue;
    news = c.sacked.add(start, end) || news;
  }
  return news;
}

function newAck(c: TcpConnection, segment: TcpSegment, room: number): void {
  const { acknowledgment } = segment;
  const underWay = c.unacknowledged;
  const acked = distance(c.sndUna, acknowledgment);
  const data = distance(c.queueStart, earliest(acknowledgment, queueEnd(c)));
  const finAcked = c.finQueued && after(acknowledgment, queueEnd(c));
  measure(c, segment);
  c.sndUna = acknowledgment;
  c.sendQueue.drop(data);
  c.uncharge(data);
  c.queueStart = plus(c.queueStart, data);
  c.retries = c.backoff = 0;
  c.softError = 0;
  c.firstSentAt = c.tcp.net.clock.cycles;
  if (c.urgentOut && !after(c.sndUp, acknowledgment)) c.urgentOut = false;
  onNewAck(c, acked, underWay, room);
  if (c.sndUna === c.sndNxt) c.retransmitAt = Infinity;
  else startRetransmitTimer(c);
  if (data > 0) spaceFreed(c);
  if (finAcked) finAcknowledged(c);
}

/** A waiting writer is woken when a third is free (Linux: sk_stream_write_space), so that it does not come for every segment. */
function spaceFreed(c: TcpConnection): void {
  if (!c.wantsSpace || c.space * 3 < c.sendLimit) {
    if (c.handler) c.tell(false, false);
    return;
  }
  c.wantsSpace = false;
  c.tell(false, true);
}

function finAcknowledged(c: TcpConnection): void {
  if (c.state === 'FIN_WAIT_1') {
    c.setState('FIN_WAIT_2');
    if (c.orphan) c.tcp.startFinWait2(c);
    c.tell(true, true);
  } else if (c.state === 'CLOSING') {
    c.tcp.enterTimeWait(c);
  } else if (c.state === 'LAST_ACK') {
    c.die(0);
  }
}
