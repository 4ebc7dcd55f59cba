import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { address, checkAnswer, nextMessage, query, type Question } from './dns.js';
import { dnsmasq, missingDnsmasq, ON_THE_ROUTER, QUESTIONS } from './dnsmasq.js';
import { keep, summarise, type CpuProfile } from './profile.js';
import { secondsSince } from './rate.js';
import { nothing, spread, type Bench, type Conditions, type Figure, type Measurement, type Profile } from './workload.js';

/** Between two tries. */
const TRY_MS = 5;

interface Command {
  name: string;
  about: string;
  missing: string | null;
  /** Behind `shuntbox boot`. */
  options: string[];
  question: Question;
}

interface Started {
  /** Seconds from the command to the line that says a forward listens, and to the first answer. */
  listening: number;
  serving: number;
}

/** The port that a line on standard error names. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      const port = /udp 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port) resolve(Number(port));
    });
    child.once('exit', () => reject(new Error(`shuntbox boot ended: ${said}`)));
  });
}

/** Ask until it is answered. */
async function firstAnswer(socket: Socket, port: number, question: Question): Promise<void> {
  const ask = (): void => socket.send(query([question], 0), port, '127.0.0.1');
  const again = setInterval(ask, TRY_MS);
  ask();
  try {
    checkAnswer(await nextMessage(socket, 'the router'), 0);
  } finally {
    clearInterval(again);
  }
}

/** One start; `node` are options for Node itself. */
async function start(program: string, { options, question }: Command, node: readonly string[] = []): Promise<Started> {
  const begin = process.hrtime.bigint();
  const child = spawn(process.execPath, [...node, program, 'boot', '--forward', 'udp:0:53', ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
  const socket = createSocket('udp4');
  const ended = once(child, 'exit');
  try {
    const port = await portOf(child);
    const listening = secondsSince(begin);
    await firstAnswer(socket, port, question);
    return { listening, serving: secondsSince(begin) };
  } finally {
    child.kill('SIGTERM');
    await ended;
    socket.close();
  }
}

/** Where the time of the whole process goes, by its own profiler. */
async function profiled(program: string, command: Command, { profiles }: Conditions): Promise<Profile> {
  const folder = mkdtempSync(join(tmpdir(), 'shuntbox-bench-'));
  try {
    await start(program, command, ['--cpu-prof', '--cpu-prof-dir', folder]);
    const [file] = readdirSync(folder);
    const found = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile;
    if (profiles !== null) keep(found, profiles, command.name);
    return summarise(found);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bench(program: string, command: Command): Bench {
  const { name, about } = command;
  return {
    name, about,
    async measure(conditions): Promise<Measurement> {
      const missing = command.missing ?? (existsSync(program) ? null : `${program} is missing; build it with: npm run build`);
      if (missing !== null) return nothing(command, missing);
      const found: Started[] = [];
      for (let n = 0; n < conditions.runs; n++) found.push(await start(program, command));
      const figure = (label: string, of: (one: Started) => number): Figure => ({ name: 'host', unit: label, ...spread(found.map((one) => of(one) * 1000)) });
      return {
        ...nothing(command, ''), skipped: null, output: 'the first question is answered',
        figures: [figure('ms to the first answer', ({ serving }) => serving), figure('ms of it until the forward listens', ({ listening }) => listening)],
        profile: conditions.profile ? await profiled(program, command, conditions) : null,
      };
    },
  };
}

/** From the command to a daemon that answers, the start of the process included. */
export function starts(program: string, rootfs: string | null): Bench[] {
  const about = (what: string): string => `wall time from \`shuntbox boot\` to ${what} that answers through a forward`;
  const quoted = dnsmasq(...ON_THE_ROUTER).map((word) => (word === '' ? '""' : word)).join(' ');
  return [
    { name: 'start-dnsd', about: about("the firmware's init and dnsd"), missing: null, options: [], question: address('router.lan') },
    { name: 'start-dnsmasq', about: about('an unmodified dnsmasq'), missing: missingDnsmasq(rootfs), options: ['--rootfs', `${rootfs}`, '--daemon', quoted], question: QUESTIONS[0] },
  ].map((command) => bench(program, command));
}
