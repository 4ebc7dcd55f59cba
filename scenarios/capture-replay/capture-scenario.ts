import { basename, resolve } from 'node:path';
import { formatIp, ip, LIMITED_BROADCAST, readCapture, tryIp, type Ip } from '../../emulator/net/index.js';
import type { ProfileName } from '../../emulator/router/profiles.js';
import type { ArmName } from '../arms.js';
import { InputError } from '../input-error.js';
import { readInput } from '../input-file.js';
import type { HostProgram, Scenario } from '../scenario.js';
import { scenarioSchema, SCHEMA_VERSION } from '../schema.js';
import { ROUTER } from '../topology.js';
import { readAflnet } from './aflnet.js';
import type { Injection } from './injector.js';
import { schedule, type Pacing } from './pacing.js';
import { select, targetText, type Captured, type Target } from './selection.js';

export interface CaptureReplay {
  file: string;
  /** AFLNet's format instead of pcap or pcapng. */
  aflnet: boolean;
  daemon: HostProgram;
  name: string;
  words: readonly string[];
  arms: readonly ArmName[];
  /** The daemon understands the recovery library's options. */
  sdk: boolean;
  target: Target | null;
  /** Port on the emulated router; the capture's by default. */
  port?: number;
  pacing: Pacing;
  profile?: ProfileName;
}

export interface PreparedReplay {
  scenario: Scenario;
  /** How addresses were mapped and what was left out, for people. */
  mapping: string[];
}

const MAX_CAPTURE_BYTES = 256 << 20;
const FIRST_NS = 500e6;
/** Room after the last datagram: for asking again, for telling a hang, and for a supervisor's five seconds. */
const AFTER_NS = 8e9;
/** AFLNet's files have no times: what a local daemon is given between messages. */
const AFLNET_GAP_NS = 10e6;
const AFLNET_PORT = 40000;
const MAX_HOSTS = 48;
const FIRST_HOST = 100;
const RESOLVER = '203.0.113.53';

/** A scenario made of a capture and a daemon. Throws InputError. */
export function captureScenario(options: CaptureReplay): PreparedReplay {
  const { messages, target, leftOut } = options.aflnet ? aflnetMessages(options) : capturedMessages(options);
  const sendings = schedule(messages.map(({ time }) => time), messages.map(({ bytes }) => bytes.length), options.pacing);
  if (typeof sendings === 'string') throw new InputError(`${options.file}: ${sendings}`);
  if (sendings.length === 0) throw new InputError(`${options.file}: --limit or --duration leaves nothing to send`);
  const hosts = mapHosts(messages);
  const injections: Injection[] = sendings.map(({ index, pass, at }) => {
    const { source, sourcePort, broadcast } = messages[index];
    return { at: FIRST_NS + at, host: hostName(hosts.get(source) as Ip), sourcePort, broadcast, message: index, pass };
  });
  const port = options.port ?? target.port;
  const used = new Set(hosts.values());
  const scenario = shell(options, [...used], FIRST_NS + sendings[sendings.length - 1].at + AFTER_NS);
  scenario.injection = {
    file: basename(options.file), payloads: messages.map(({ bytes }) => bytes), frames: messages.map(({ frame }) => frame), injections,
    address: ip(ROUTER.lan0), port,
  };
  return { scenario, mapping: mappingLines(options, target, port, messages, hosts, sendings.length, leftOut) };
}

type Chosen = { messages: Captured[]; target: Target; leftOut: Map<string, number> };

function capturedMessages({ file, target }: CaptureReplay): Chosen {
  const capture = readCapture(readInput(file, MAX_CAPTURE_BYTES, 'cut it with editcap -r'));
  if (capture.error !== null) throw new InputError(`${file}: ${capture.error}`);
  const selection = select(capture.packets, target);
  const { leftOut, messages } = selection;
  const rest = [...leftOut].map(([reason, count]) => `${count} ${reason}`).join(', ');
  if (selection.target === null) throw new InputError(`${file}: no UDP datagram among its ${capture.packets.length} packets${rest ? ` (${rest})` : ''}; only UDP is replayed so far`);
  if (messages.length === 0) throw new InputError(`${file}: no UDP datagram to ${targetText(selection.target)} among its ${capture.packets.length} packets${rest ? ` (${rest})` : ''}; check --target`);
  return { messages, target: selection.target, leftOut };
}

function aflnetMessages({ file, target }: CaptureReplay): Chosen {
  if (!target) throw new InputError(`${file}: AFLNet's files do not say where the daemon listens; add --target udp:PORT`);
  const { messages, error } = readAflnet(readInput(file, MAX_CAPTURE_BYTES, 'AFLNet writes no such file'));
  if (error !== null) throw new InputError(`${file}: ${error}; is it one of AFLNet's replayable-crashes or replayable-queue?`);
  const source = ip('192.168.1.66');
  const captured = messages.map((bytes, i) => ({ frame: i + 1, time: i * AFLNET_GAP_NS, source, sourcePort: AFLNET_PORT, broadcast: false, bytes: Uint8Array.from(bytes) }));
  return { messages: captured, target, leftOut: new Map<string, number>() };
}

const hostName = (address: Ip): string => `host-${address & 0xff}`;

/** Senders of the router's LAN keep their address; the others get one there, and share when there are too many. */
function mapHosts(messages: readonly Captured[]): Map<Ip, Ip> {
  const lan = ip(ROUTER.lan0) & 0xffffff00;
  const keeps = (address: Ip): boolean => ((address ^ lan) & 0xffffff00) === 0 && ![0, 1, 255].includes(address & 0xff);
  const sources = [...new Set(messages.map(({ source }) => source))];
  const kept = sources.filter(keeps).slice(0, MAX_HOSTS);
  const taken = new Set(kept.map((address) => address & 0xff));
  const pool = Array.from({ length: 255 - FIRST_HOST }, (_, i) => FIRST_HOST + i).filter((number) => !taken.has(number)).slice(0, Math.max(1, MAX_HOSTS - kept.length));
  const map = new Map<Ip, Ip>(kept.map((address) => [address, address]));
  let next = 0;
  for (const source of sources) if (!map.has(source)) map.set(source, (lan | pool[next++ % pool.length]) >>> 0);
  return map;
}

function shell(options: CaptureReplay, hosts: readonly Ip[], duration: number): Scenario {
  const program = `/usr/sbin/${options.name}`;
  const file = scenarioSchema.parse({
    schema: SCHEMA_VERSION,
    name: basename(options.file).toLowerCase().replace(/\.(pcapng|pcap|cap|raw)$/, '').replace(/[^a-z0-9._-]/g, '-').replace(/^[^a-z0-9]+/, '').slice(0, 60) || 'capture',
    title: `${basename(options.file)} against ${options.name}`.slice(0, 100),
    summary: `The datagrams of ${basename(options.file)} are sent to ${options.daemon.file}, which runs as ${program}.`,
    seed: 1, profile: options.profile, duration: '1s',
    topology: { hosts: [...hosts.map((address) => ({ name: hostName(address), on: 'lan0', address: formatIp(address) })), { name: 'resolver', on: 'wan0', address: RESOLVER, resolver: true }] },
    daemons: [{ name: options.name, program, arguments: options.words, options: options.sdk }],
    arms: options.arms,
  });
  return { ...file, duration, folder: '', file: options.file, programs: { [program]: { ...options.daemon, file: resolve(options.daemon.file) } } };
}

function mappingLines(options: CaptureReplay, target: Target, port: number, messages: readonly Captured[], hosts: ReadonlyMap<Ip, Ip>, sent: number, leftOut: ReadonlyMap<string, number>): string[] {
  const unit = options.aflnet ? 'message' : 'datagram';
  const lines = [`  ${targetText(target)} in the capture -> ${ROUTER.lan0}:${port}, ${messages.length} ${unit}${messages.length === 1 ? '' : 's'}, ${sent} sent${messages.some(({ broadcast }) => broadcast) ? '; broadcasts stay broadcasts' : ''}`];
  const shown = [...hosts].slice(0, 4).map(([from, to]) => (from === to ? formatIp(from) : `${formatIp(from)} -> ${formatIp(to)}`));
  lines.push(`  senders ${shown.join(', ')}${hosts.size > shown.length ? ` and ${hosts.size - shown.length} more` : ''}; ports kept; hardware addresses are those of the emulated hosts, checksums are made anew`);
  if (leftOut.size > 0) lines.push(`  left out: ${[...leftOut].map(([reason, count]) => `${count} ${reason}`).join(', ')}`);
  return lines;
}

/** "192.168.1.1:53", "53", "udp:53", or AFLNet's "udp://127.0.0.1/53". A string says what is wrong. */
export function parseTarget(text: string): Target | string {
  if (/^tcp/i.test(text)) return 'only UDP is replayed so far';
  const match = /^(?:udp:(?:\/\/)?)?(?:([\d.]+)[:/])?(\d+)$/i.exec(text);
  const address = match?.[1] === undefined ? null : tryIp(match[1]);
  const port = Number(match?.[2]);
  if (!match || (match[1] !== undefined && address === null) || port < 1 || port > 65535) return 'give ADDRESS:PORT as it stands in the capture, udp:PORT, or PORT';
  return { address: /^udp:\/\//i.test(text) || address === LIMITED_BROADCAST ? null : address, port };
}
