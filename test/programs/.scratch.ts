import { Lab } from './lab.js';
import { textOf } from '../../emulator/base/index.js';
const nginx = 'worker_processes 2;\nerror_log stderr info;\npid /run/nginx.pid;\nevents { worker_connections 64; }\nhttp { access_log off; server { listen 80; location / { root /srv; } } }\n';
const lighttpd = 'server.document-root = "/srv"\nserver.port = 80\nserver.max-worker = 2\nserver.modules = ("mod_indexfile","mod_staticfile")\nindex-file.names = ("index.html")\n';
const daemons: Record<string, [string, string[]]> = {
  nginx: ['nginx', ['/usr/sbin/nginx', '-c', '/etc/nginx.conf', '-g', 'daemon off;']],
  nginxd: ['nginx', ['/usr/sbin/nginx', '-c', '/etc/nginx.conf']],
  lighttpd: ['lighttpd', ['/usr/sbin/lighttpd', '-D', '-f', '/etc/lighttpd.conf']],
  lighttpdd: ['lighttpd', ['/usr/sbin/lighttpd', '-f', '/etc/lighttpd.conf']],
  httpd: ['httpd', ['/bin/httpd', '-f', '-p', '80', '-h', '/srv']],
};
export function main(args: string[]): void {
  const [comm, argv] = daemons[args[0]];
  const lab = new Lab('/tmp/debian-mipsel/sysroot', { ram: 256 << 20, strace: args.includes('-s'), guard: { daemons: [comm] }, files: { '/etc/lighttpd.conf': lighttpd, '/etc/nginx.conf': nginx, '/srv/index.html': '<h1>a page</h1>\n', '/var/lib/nginx/body/.keep': '', '/var/log/nginx/.keep': '', '/bin/httpd': '#!' } });
  const { kernel } = lab.router;
  if (args[0] === 'httpd') lab.sh('rm /bin/httpd; ln -s /bin/busybox /bin/httpd');
  const daemon = lab.start(...argv);
  lab.until(() => false, 5);
  const procs = () => [...kernel.processes.values()].filter((p) => p.comm === comm).map((p) => `${p.pid}<${p.parent?.pid} ${p.state} ${p.threads.map((t) => t.blocked?.name ?? t.state)}`).join(' | ');
  const get = () => { try { return lab.sh('for i in 1 2 3; do (echo "GET /index.html HTTP/1.0"; echo; sleep 1) | busybox nc 127.0.0.1 80 | tail -n 1; done').trim().replaceAll('\n', ' '); } catch (e) { return String(e).slice(0, 200); } };
  const since = () => { const e = kernel.log.since().slice(mark); mark = kernel.log.since().length; return e.filter((x) => /guard|fail|process.exit|process.fatal|hazard/.test(textOf(x.what)) && !/wget|dash|busybox/.test(textOf(x.comm))).map((x) => JSON.stringify(x)).join('\n'); };
  let mark = 0;
  console.log(lab.console, daemon.state); lab.console = '';
  console.log(procs()); console.log(since());
  console.log('GET', get(), procs()); console.log(since());
  const kids = () => [...kernel.processes.values()].filter((p) => p.comm === comm && p.state === 'alive').sort((a, b) => a.pid - b.pid).map((p) => p.pid);
  for (const which of [1, 2, 0]) {
    if (kids()[which] === undefined) continue;
    lab.sh(`busybox kill -SEGV ${kids()[which]}`);
    console.log('--- SEGV to', kids()[which]); lab.sleep(1);
    console.log('GET', get(), procs()); console.log(since());
  }
  if (kids().length > 1) {
    const victim = kids()[1];
    lab.sh(`busybox kill -KILL ${victim}`); 
    console.log('--- KILL', victim, procs()); lab.sleep(1); console.log(procs());
    lab.sh(`busybox kill -SEGV ${kids()[0]}`); lab.sleep(1);
    console.log('--- SEGV to head'); console.log('GET', get(), get(), procs()); console.log(since());
  }
  const freezes = kernel.log.since().filter((x) => textOf(x.what) === 'checkpoint.freeze');
  console.log(freezes.length, 'freezes', freezes.slice(-3).map((x) => JSON.stringify(x)).join('\n'));
  console.log(lab.console, [...kernel.unknownCalls]);
}
