// Unmodified daemons with a pool of workers, or a child for each client, under the guard: `node test/programs/pools.mjs [PATTERN]`.
import { join } from 'node:path';
import { textOf } from '../../emulator/base/index.js';
import type { Process } from '../../emulator/kernel/index.js';
import { Lab } from './lab.js';

const PAGE = '<h1>a page</h1>';
const nginx = `worker_processes 2;
error_log stderr info;
pid /run/nginx.pid;
events { worker_connections 64; }
http { access_log off; server { listen 80; location / { root /srv; } } }
`;
const lighttpd = `server.document-root = "/srv"
server.port = 80
server.max-worker = 2
server.modules = ("mod_indexfile", "mod_staticfile")
index-file.names = ("index.html")
`;
const files = {
  '/etc/nginx.conf': nginx, '/etc/lighttpd.conf': lighttpd, '/srv/index.html': `${PAGE}\n`, '/var/lib/nginx/body/.keep': '', '/var/log/nginx/.keep': '', '/var/tmp/.keep': '',
  '/etc/get.sh': '(printf "GET /index.html HTTP/1.0\\r\\n\\r\\n"; busybox sleep 0.3) | busybox nc 127.0.0.1 80 | busybox tail -n 1\n',
};

/** A daemon under the guard, and what the guard has said. */
class Stand {
  readonly lab: Lab;
  private readonly comm: string;
  private seen = 0;

  constructor(sysroot: string, comm: string, argv: string[]) {
    this.comm = comm;
    this.lab = new Lab(sysroot, { ram: 256 << 20, guard: { daemons: [comm] }, files });
    if (comm === 'httpd') this.lab.sh('busybox ln -s /bin/busybox /bin/httpd');
    this.lab.start(...argv);
    this.lab.sleep(2);
    this.news();
  }

  /** Its processes, by number. */
  get processes(): Process[] {
    return [...this.lab.router.kernel.processes.values()].filter(({ comm, state }) => comm === this.comm && state === 'alive').sort((a, b) => a.pid - b.pid);
  }

  pids(): string {
    return this.processes.map(({ pid }) => pid).join();
  }

  signal(name: string, which: number): void {
    this.lab.sh(`busybox kill -${name} ${this.processes[which].pid}`);
    this.lab.sleep(0.5);
  }

  /** The daemon answers three clients. */
  serves(): void {
    const answers = [1, 2, 3].map(() => this.lab.sh('. /etc/get.sh').trim());
    expect(answers.join(), [PAGE, PAGE, PAGE].join(), 'the page, three times');
  }

  /** What the guard and the kernel have said of it since the last time. */
  news(): string {
    const entries = this.lab.router.kernel.log.since();
    const fresh = entries.slice(this.seen).filter((entry) => textOf(entry.comm) === this.comm);
    this.seen = entries.length;
    const told = fresh.filter(({ what }) => /^(guard|checkpoint.(fail|hazard)|process.(exit|fatal))/.test(textOf(what)));
    return told.map(({ what, pid, generation, members }) => [what, pid, generation, members].filter((part) => part !== undefined).map(textOf).join(' ')).join('; ');
  }
}

function expect(seen: string, wanted: string | RegExp, what: string): void {
  const good = typeof wanted === 'string' ? seen === wanted : wanted.test(seen);
  if (!good) throw new Error(`${what}: ${JSON.stringify(seen)} instead of ${String(wanted)}`);
}

/** A fault in each member takes all of them back, and none is forked anew; a worker that was killed is replaced, and the replacement belongs to the group. */
function pool(stand: Stand): void {
  const { processes } = stand;
  const before = stand.pids();
  expect(String(processes.length), '3', 'a parent and two workers');
  stand.serves();
  stand.news();
  for (const which of [1, 2, 0]) {
    stand.signal('SEGV', which);
    expect(stand.news(), `guard.fault ${processes[which].pid}; guard.serving ${processes[which].pid} newest 3`, 'a fault');
    stand.serves();
    expect(stand.pids(), before, 'the same processes');
  }
  stand.signal('KILL', 1);
  expect(stand.news(), /^process.exit \d+; guard.join \d+ 3$/, 'a worker is killed');
  stand.serves();
  const after = stand.pids();
  stand.signal('SEGV', 1);
  expect(stand.news(), /^guard.fault (\d+); guard.serving \1 newest 3$/, 'a fault after it');
  stand.serves();
  expect(stand.pids(), after, 'the processes after the killing');
}

/** A child that faults while its client is still writing dies alone; a fault of the parent costs it its children only. */
function forkPerClient(stand: Stand): void {
  const [parent] = stand.processes;
  stand.serves();
  stand.news();
  stand.lab.sh('(busybox sleep 5 | busybox nc 127.0.0.1 80) >/dev/null 2>&1 &');
  stand.lab.sleep(0.5);
  expect(String(stand.processes.length), '2', 'a child for the client');
  stand.signal('SEGV', 1);
  expect(stand.news(), /^process.fatal (\d+); process.exit \1$/, 'the child faults');
  stand.serves();
  stand.news();
  stand.signal('SEGV', 0);
  expect(stand.news(), `guard.fault ${parent.pid}; guard.serving ${parent.pid} newest`, 'the parent faults');
  stand.serves();
}

const cases: { name: string; comm: string; argv: string[]; run: (stand: Stand) => void }[] = [
  { name: 'nginx, two workers', comm: 'nginx', argv: ['/usr/sbin/nginx', '-c', '/etc/nginx.conf', '-g', 'daemon off;'], run: pool },
  { name: 'nginx, two workers, in the background', comm: 'nginx', argv: ['/usr/sbin/nginx', '-c', '/etc/nginx.conf'], run: pool },
  { name: 'lighttpd, two workers', comm: 'lighttpd', argv: ['/usr/sbin/lighttpd', '-D', '-f', '/etc/lighttpd.conf'], run: pool },
  { name: 'busybox httpd, a child for each client', comm: 'httpd', argv: ['/bin/httpd', '-f', '-p', '80', '-h', '/srv'], run: forkPerClient },
];

export function main([folder, pattern = '']: string[]): void {
  let passed = 0;
  let failed = 0;
  for (const { name, comm, argv, run } of cases.filter((one) => one.name.includes(pattern))) {
    const stand = new Stand(join(folder, 'sysroot'), comm, argv);
    try {
      run(stand);
      passed++;
      console.log(`ok    ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAIL  ${name}: ${(error as Error).message}\n${stand.lab.console}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
