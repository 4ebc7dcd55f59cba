import { hex } from '../../emulator/base/index.js';
import { Signal, signalName } from '../../emulator/kernel/index.js';
import type { Backtrace } from './backtrace.js';
import type { Culprit } from './culprit.js';
import { placeText, type Place } from './symboliser.js';

/** A fault and its cause, as far as they are known. */
export interface Fault {
  daemon: string;
  pid: number;
  /** 0: no signal, the process hangs. */
  signal: number;
  pc: number;
  address: number;
  /** Since power-on. */
  seconds: number;
  /** Since the load began: the time axis of reports. */
  at: number;
  where: Place;
  returnTo: Place;
  trace: Backtrace;
  /** Null: the program had taken no datagram. */
  culprit: Culprit | null;
  /** The injected fault that struck its process last before, in words; null without any. */
  injected: string | null;
}

export function faultName({ signal }: Pick<Fault, 'signal'>): string {
  if (signal === 0) return 'hang';
  return signal === Signal.ALRM ? "SIGALRM (the watchdog's)" : signalName(signal);
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** "frame 12 of crash.pcap", "frame 214 of the capture (message 1, exact)". */
export function culpritText(culprit: Culprit, capture: string | null): string {
  const { original, frame, message, from, bytes } = culprit;
  const parts = [];
  if (original) parts.push(`frame ${original.frame} of ${original.file}`);
  if (frame !== null) parts.push(`frame ${frame} of ${capture ?? 'the capture --pcap writes'}`);
  const what = message ? `message ${message.number}, ${message.form}` : 'of no attack';
  return `${parts.join(' = ') || 'a datagram'} (${[what, `${count(bytes.length / 2, 'byte')} from ${from}`].filter(Boolean).join('; ')})`;
}

export function fieldText({ field, bytes }: Culprit): string | null {
  if (!field) return null;
  const last = field.offset + field.length - 1;
  const range = field.length === 1 ? `byte ${field.offset}` : `bytes ${field.offset} to ${last}`;
  return `${field.name}: ${range} = ${bytes.slice(2 * field.offset, 2 * field.offset + 2 * Math.min(field.length, 16))}${field.length > 16 ? '…' : ''}`;
}

/** The cause in a few lines, for people. */
export function causeLines(fault: Fault, capture: string | null): string[] {
  const lines = [`${faultName(fault)} in ${fault.daemon} (pid ${fault.pid}), ${fault.seconds.toFixed(3)} s after power-on${fault.signal === 0 ? ': it no longer takes its input' : `, at address ${hex(fault.address)}`}`];
  if (fault.injected !== null) lines.push(`  cause   ${fault.injected}`);
  lines.push(`  input   ${fault.culprit ? culpritText(fault.culprit, capture) : 'it had taken no datagram'}`);
  const field = fault.culprit ? fieldText(fault.culprit) : null;
  if (field !== null) lines.push(`  field   ${field}`);
  lines.push(`  pc      ${placeText(fault.where)}`, `  ra      ${placeText(fault.returnTo)}`);
  if (fault.trace.frames.length > 1) lines.push(`  called  ${fault.trace.frames.slice(1).map(({ function: name, address }) => name ?? hex(address)).join(' < ')}`);
  const { trace } = fault;
  if (trace.frames.length === 1 && trace.onStack.length > 0) lines.push(`  stack   holds return addresses in ${[...new Set(trace.onStack.map(({ function: name, address }) => name ?? hex(address)))].join(', ')}: callers perhaps, or leftovers`);
  return lines;
}
