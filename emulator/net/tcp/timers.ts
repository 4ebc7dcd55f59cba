import { Errno } from '../../base/index.js';
import type { TcpConnection } from './connection.js';
import { MAX_RETRIES, ORPHAN_RETRIES } from './parameters.js';
import { onTimeout } from './recovery.js';
import { forceOutput, output, rto, segmentRoom, sendAck, sendProbe, sendResetOf, sendSyn, startRetransmitTimer } from './segment-out.js';

/** A deadline of the connection has come; see TcpConnection.arm. */
export function onTimer(c: TcpConnection): void {
  c.timer = null;
  const now = c.tcp.net.clock.cycles;
  if (c.ackAt <= now) {
    c.tcp.count('TcpExt.DelayedACKs');
    sendAck(c);
  }
  if (c.retransmitAt <= now) {
    c.retransmitAt = Infinity;
    if (c.persisting) probe(c);
    else retransmit(c);
  }
  if (c.lifeAt <= now) {
    c.lifeAt = Infinity;
    endOfLife(c);
  }
  c.arm();
}

/** The way is dead: the user learns the last ICMP error, else ETIMEDOUT (RFC 9293 section 3.8.3). */
function giveUp(c: TcpConnection): void {
  c.tcp.count(c.state === 'SYN_SENT' || c.state === 'SYN_RECEIVED' ? 'Tcp.AttemptFails' : 'TcpExt.TCPAbortOnTimeout');
  c.die(c.softError || Errno.ETIMEDOUT);
}

function tooLong(c: TcpConnection, retries: number): boolean {
  const { clock } = c.tcp.net;
  const { userTimeout } = c.settings;
  if (userTimeout > 0) return clock.cycles - c.firstSentAt >= clock.toCycles(userTimeout);
  return retries >= (c.orphan ? ORPHAN_RETRIES : MAX_RETRIES);
}

function retransmit(c: TcpConnection): void {
  const { tcp } = c;
  if (c.state === 'SYN_SENT' || c.state === 'SYN_RECEIVED') {
    if (c.retries >= c.settings.synRetries) return giveUp(c);
    c.retries++;
    c.backoff++;
    c.timedAt = -1;
    tcp.count('Tcp.RetransSegs');
    return sendSyn(c);
  }
  if (c.sndUna === c.sndNxt) return output(c);
  if (tooLong(c, c.retries)) return giveUp(c);
  tcp.count('TcpExt.TCPTimeouts');
  onTimeout(c, segmentRoom(c));
  c.retries++;
  c.backoff++;
  c.timedAt = -1;
  startRetransmitTimer(c);
  output(c);
}

/** Nothing is under way, something waits: open the cork, or ask for the window (RFC 9293 section 3.8.6.1). */
function probe(c: TcpConnection): void {
  c.persisting = false;
  if (c.sndUna !== c.sndNxt) return startRetransmitTimer(c);
  if (forceOutput(c)) return output(c);
  if (c.probes === 0) c.firstSentAt = c.tcp.net.clock.cycles;
  if (tooLong(c, c.probes)) return giveUp(c);
  sendProbe(c);
  c.probes++;
  c.backoff++;
  c.persisting = true;
  c.retransmitAt = c.tcp.net.clock.cycles + rto(c);
}

// ---- keepalive (RFC 9293 section 3.8.4), and the orphan's end

export function startKeepalive(c: TcpConnection): void {
  if (!c.settings.keepAlive || c.orphan || !c.connected || c.state === 'FIN_WAIT_2' && c.orphan) return;
  const { clock } = c.tcp.net;
  c.lifeAt = c.lastReceived + clock.toCycles(c.settings.keepIdle);
  c.arm();
}

function endOfLife(c: TcpConnection): void {
  if (c.orphan) {
    if (c.state === 'FIN_WAIT_2') c.die(0);
    return;
  }
  if (c.settings.keepAlive && c.connected) keepAlive(c);
}

function keepAlive(c: TcpConnection): void {
  const { clock } = c.tcp.net;
  const idle = clock.cycles - c.lastReceived;
  const wait = clock.toCycles(c.settings.keepIdle);
  if (c.sndUna !== c.sndNxt || idle < wait) {
    c.lifeAt = c.sndUna === c.sndNxt ? c.lastReceived + wait : clock.cycles + wait;
    return;
  }
  const { userTimeout, keepCount, keepInterval } = c.settings;
  if (userTimeout > 0 ? idle >= clock.toCycles(userTimeout) && c.probes > 0 : c.probes >= keepCount) {
    sendResetOf(c);
    c.tcp.count('TcpExt.TCPAbortOnTimeout');
    return c.die(c.softError || Errno.ETIMEDOUT);
  }
  c.tcp.count('TcpExt.TCPKeepAlive');
  sendProbe(c);
  c.probes++;
  c.lifeAt = clock.cycles + clock.toCycles(keepInterval);
}
