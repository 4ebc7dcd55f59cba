import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { ip, type Host, type HostHandler } from '../../emulator/net/index.js';
import { DnsType, decodeMessage, encodeQuery } from '../codecs/dns.js';
import { ROUTER } from '../topology.js';

export const DNS_PORT = 53;
const CLIENT_PORT = 40000;
/** Virtual machines start slowly on a busy computer. */
const PATIENCE_MS = 60_000;

export interface Question {
  name: string;
  type: number;
}

export const address = (name: string): Question => ({ name, type: DnsType.A });

/** The n-th query; the questions are asked in turn. */
export function query(questions: readonly Question[], n: number): Uint8Array {
  const { name, type } = questions[n % questions.length];
  return encodeQuery(n & 0xffff, name, type);
}

/** A server that answers something else would be quick for nothing. */
export function checkAnswer(bytes: Uint8Array, n: number): void {
  const answer = decodeMessage(bytes);
  if (!answer || answer.id !== (n & 0xffff) || answer.answers.length === 0) throw new Error(`query ${n} was answered with ${Buffer.from(bytes).toString('hex')}`);
}

/** Asks the next question as soon as the last is answered; then `onEnd`. */
export class Questioner implements HostHandler {
  answered = 0;
  private readonly questions: readonly Question[];
  private readonly wanted: number;
  private readonly host: Host;

  constructor(host: Host, questions: readonly Question[], wanted: number) {
    this.host = host;
    this.questions = questions;
    this.wanted = wanted;
    host.bind(CLIENT_PORT, this);
  }

  ask(): void {
    this.host.send(CLIENT_PORT, ip(ROUTER.lan0), DNS_PORT, query(this.questions, this.answered));
  }

  onDatagram(_host: Host, _port: number, _source: number, _sourcePort: number, payload: Uint8Array): void {
    checkAnswer(payload, this.answered);
    this.answered++;
    if (this.answered < this.wanted) this.ask();
  }
}

/** User and system time of a process in seconds, from /proc (clock ticks of 10 ms); null where there is none. */
function cpuSeconds(child: ChildProcess): number | null {
  try {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return null;
  }
}

/** The next datagram; an error that names `what` when none comes. */
export function nextMessage(socket: Socket, what: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${what}: no answer within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    socket.once('message', (bytes) => {
      clearTimeout(late);
      resolve(bytes);
    });
  });
}

async function askAll(socket: Socket, port: number, questions: readonly Question[], queries: number): Promise<void> {
  for (let n = 0; n < queries; n++) {
    socket.send(query(questions, n), port, '127.0.0.1');
    checkAnswer(await nextMessage(socket, `the server under qemu, query ${n} at 127.0.0.1:${port}`), n);
  }
}

/**
 * A server under qemu-user on this computer's loopback, asked the same questions: its processor time in seconds, since its client and the
 * network are this computer's. Null without qemu.
 */
export async function serverUnderQemu(qemu: string, command: readonly string[], port: number, questions: readonly Question[], queries: number): Promise<number | null> {
  if (spawnSync(qemu, ['--version']).error) return null;
  const child = spawn(qemu, [...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  const socket = createSocket('udp4');
  try {
    await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), once(child, 'exit')]);
    await askAll(socket, port, questions, questions.length);
    const before = cpuSeconds(child);
    await askAll(socket, port, questions, queries);
    const after = cpuSeconds(child);
    return before === null || after === null ? null : after - before;
  } finally {
    socket.close();
    child.kill();
  }
}
