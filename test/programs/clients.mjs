// Real clients of this computer talk to a distribution's daemons through the ports `shuntbox boot` forwards; then the recorded session is
// repeated and must give the same bytes. `node test/programs/clients.mjs [--write]`: --write makes docs/clients.md anew, else it is compared.
// SHUNTBOX_DEBIAN names a folder of unpacked packages (sysroot/); without it they are fetched with apt-get into a folder that is removed again.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { packages } from './packages.mjs';

const here = import.meta.dirname;
const root = normalize(join(here, '../..'));
const shuntbox = join(root, 'dist/shuntbox.js');
const table = join(root, 'docs/clients.md');
const write = process.argv.includes('--write');
const work = mkdtempSync(join(tmpdir(), 'shuntbox-clients-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const has = (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;

const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

function file(name, content, mode = 0o644) {
  const path = join(work, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

// 200 KB that no two runs of a compressor would like: the bytes follow from their place.
const BLOB = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 24) & 0xff));
const BLOB_SUM = createHash('sha256').update(BLOB).digest('hex');
const PASSWORD = 'diskless';
// crypt(3), MD5 form, salt "ab", of that word.
const SHADOW = spawnSync('openssl', ['passwd', '-1', '-salt', 'ab', PASSWORD], { encoding: 'utf8' }).stdout?.trim() ?? '';

/** sshd does not take a key others may read. */
function hostKey() {
  const path = join(work, 'host-key');
  spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  return path;
}

const files = {
  '/srv/index.html': file('index.html', '<h1>a page</h1>\n'),
  '/srv/blob': file('blob', BLOB),
  '/srv/env.cgi': file('env.cgi', '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\necho "$REQUEST_METHOD $QUERY_STRING"\n', 0o755),
  '/srv/cgi-bin/env.cgi': join(work, 'env.cgi'),
  '/etc/lighttpd.conf': file('lighttpd.conf', 'server.document-root = "/srv"\nserver.port = 80\nserver.modules = ("mod_indexfile", "mod_cgi", "mod_staticfile")\nindex-file.names = ("index.html")\ncgi.assign = (".cgi" => "/bin/dash")\n'),
  '/etc/shadow': file('shadow', `root:${SHADOW}:19000:0:99999:7:::\n`),
  '/etc/snmpd.conf': file('snmpd.conf', 'rocommunity public\nsysLocation rack 7\n'),
  '/etc/inetd.conf': file('inetd.conf', '8084 stream tcp nowait root /usr/sbin/micro-httpd micro-httpd /srv\n23 stream tcp nowait root /usr/sbin/telnetd telnetd -h -E /bin/dash\n'),
  '/etc/ssh/sshd_config': file('sshd_config', 'Port 2222\nHostKey /tmp/key\nPermitRootLogin yes\nUsePAM no\nSubsystem sftp /usr/lib/openssh/sftp-server\n'),
  '/etc/ssh/key': hostKey(),
  '/etc/passwd': file('passwd', 'root:x:0:0:root:/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n'),
  '/etc/tinyproxy.conf': file('tinyproxy.conf', 'Port 8888\nTimeout 60\nMaxClients 20\nDisableViaHeader Yes\n'),
};
const daemons = [
  '/usr/sbin/lighttpd -D -f /etc/lighttpd.conf', '/usr/sbin/mini_httpd -D -p 81 -d /srv -c **.cgi -u root', '/bin/busybox httpd -f -p 82 -h /srv',
  '/usr/sbin/dropbear -F -E -R -p 22', '/usr/sbin/snmpd -f -Lo -C -c /etc/snmpd.conf udp:161',
  '/usr/sbin/dnsmasq -k -u root --log-facility=- --no-resolv --no-hosts --address=/www.test/10.1.2.3 -p 53',
  '/usr/sbin/inetutils-inetd -d /etc/inetd.conf', '/usr/bin/tinyproxy -d -c /etc/tinyproxy.conf',
  '/bin/busybox nc -ll -p 7 -e /bin/cat', '/bin/dash -c "mkdir -p /run/sshd; cp /etc/ssh/key /tmp/key; chmod 600 /tmp/key; exec /usr/sbin/sshd -D -e"',
];
const guestPorts = { lighttpd: 'tcp:80', 'mini-httpd': 'tcp:81', httpd: 'tcp:82', dropbear: 'tcp:22', sshd: 'tcp:2222', snmpd: 'udp:161', dns: 'udp:53', 'dns-tcp': 'tcp:53', micro: 'tcp:8084', telnetd: 'tcp:23', tinyproxy: 'tcp:8888', nc: 'tcp:7' };

const sh = (command, input = '') => {
  const { stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'latin1', input, timeout: 60_000, env: { ...process.env, LC_ALL: 'C' } });
  return { stdout, stderr };
};
const sum = (text) => createHash('sha256').update(text, 'latin1').digest('hex');
const curl = (rest) => sh(`curl -s -S -m 40 ${rest}`);
const same = (text, wanted) => (text === wanted ? wanted.trim() : null);
const ASK_PASSWORD = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o PreferredAuthentications=password -o LogLevel=ERROR';
const login = (ports, command) => sh(`sshpass -p ${PASSWORD} ssh ${ASK_PASSWORD} -p ${ports.dropbear} root@127.0.0.1 '${command}'`);
const sftp = (ports, commands) => sh(`sshpass -p ${PASSWORD} sftp ${ASK_PASSWORD} -P ${ports.sshd} root@127.0.0.1`, commands);

/**
 * Program, client, what is asked; the last gives what is to be said of the answer, or null when it was wrong.
 * @type {[string, string, string, (ports: Record<string, number>) => string | null][]}
 */
const cases = [
  ['lighttpd', 'curl', 'a page', (p) => same(curl(`http://127.0.0.1:${p.lighttpd}/`).stdout, '<h1>a page</h1>\n')],
  ['lighttpd', 'curl', '200,000 bytes (sendfile)', (p) => (sum(curl(`http://127.0.0.1:${p.lighttpd}/blob`).stdout) === BLOB_SUM ? 'the same 200,000 bytes' : null)],
  ['lighttpd', 'curl', 'a CGI script', (p) => same(curl(`http://127.0.0.1:${p.lighttpd}/env.cgi?a=b`).stdout, 'GET a=b\n')],
  ['mini-httpd', 'curl', '200,000 bytes', (p) => (sum(curl(`http://127.0.0.1:${p['mini-httpd']}/blob`).stdout) === BLOB_SUM ? 'the same 200,000 bytes' : null)],
  ['busybox httpd', 'curl', '200,000 bytes', (p) => (sum(curl(`http://127.0.0.1:${p.httpd}/blob`).stdout) === BLOB_SUM ? 'the same 200,000 bytes' : null)],
  ['busybox httpd', 'curl', 'a CGI script, by POST', (p) => same(curl(`-d x=y http://127.0.0.1:${p.httpd}/cgi-bin/env.cgi?q`).stdout, 'POST q\n')],
  ['micro-httpd under inetd', 'curl', 'a page', (p) => same(curl(`http://127.0.0.1:${p.micro}/index.html`).stdout, '<h1>a page</h1>\n')],
  ['tinyproxy', 'curl', "lighttpd's page through the proxy", (p) => same(curl(`-x http://127.0.0.1:${p.tinyproxy} http://127.0.0.1:80/`).stdout, '<h1>a page</h1>\n')],
  ['dnsmasq', 'dig', 'A of www.test over UDP', (p) => same(sh(`dig +short +time=5 +tries=2 @127.0.0.1 -p ${p.dns} www.test`).stdout, '10.1.2.3\n')],
  ['dnsmasq', 'dig', 'A of www.test over TCP', (p) => same(sh(`dig +tcp +short +time=5 +tries=2 @127.0.0.1 -p ${p['dns-tcp']} www.test`).stdout, '10.1.2.3\n')],
  ['snmpd', 'snmpwalk', 'a walk of 1.3.6.1.2.1', (p) => {
    const rows = sh(`snmpwalk -v2c -c public -t 5 -On 127.0.0.1:${p.snmpd} 1.3.6.1.2.1`).stdout.split('\n');
    return rows.some((row) => row.includes('STRING: "rack 7"') || row.includes('STRING: rack 7')) && rows.length > 300 ? 'more than 300 rows, sysLocation among them' : null;
  }],
  ['dropbear', 'ssh', 'a login by password, and a command', (p) => same(login(p, 'uname -m; id -u').stdout.replace('\n', ' '), 'mips 0\n')],
  ['sshd of OpenSSH', 'sftp', '200,000 bytes up and down again', (p) => {
    const back = join(work, 'back');
    sftp(p, `put ${join(work, 'blob')} /tmp/blob\nget /tmp/blob ${back}\n`);
    return existsSync(back) && readFileSync(back).equals(BLOB) ? 'the same 200,000 bytes' : null;
  }],
  ['telnetd under inetd', 'telnet', 'a shell on a pseudo-terminal', (p) => {
    const { stdout } = sh(`(sleep 4; echo 'echo $((6*7)) > /tmp/t; cat /tmp/t; tty'; sleep 4; echo exit; sleep 1) | timeout 20 telnet 127.0.0.1 ${p.telnetd}`);
    return /^42\r?$/m.test(stdout) && /^\/dev\/pts\/\d+\r?$/m.test(stdout) ? 'a shell on /dev/pts' : null;
  }],
  ['busybox nc -e cat', "bash's /dev/tcp", 'three lines, back one by one', (p) => same(sh(`exec 3<>/dev/tcp/127.0.0.1/${p.nc}; for line in a bc def; do echo $line >&3; read -r -t 10 back <&3; echo "$back"; done`).stdout.replaceAll('\n', ' '), 'a bc def ')],
  ['busybox wget, started by ssh', 'mini-httpd', '200,000 bytes', (p) => (login(p, '/bin/busybox wget -q -O - http://127.0.0.1:81/blob | /bin/busybox sha256sum').stdout.startsWith(BLOB_SUM) ? 'the same 200,000 bytes' : null)],
  ['lighttpd, guarded', 'ssh, curl', 'SIGSEGV three times, a page after each', (p) => {
    const pages = [1, 2, 3].map(() => {
      login(p, 'kill -SEGV $(/bin/busybox pidof lighttpd)');
      return curl(`http://127.0.0.1:${p.lighttpd}/`).stdout;
    });
    return pages.every((page) => page === '<h1>a page</h1>\n') ? 'the page, three times: thawed, not restarted' : null;
  }],
];

async function ready(ports, boot) {
  for (let i = 0; i < 120 && boot.exitCode === null; i++) {
    const answers = [`curl -s -m 2 http://127.0.0.1:${ports.lighttpd}/`, `curl -s -m 2 http://127.0.0.1:${ports.httpd}/`, `dig +short +time=2 +tries=1 @127.0.0.1 -p ${ports.dns} www.test`, `snmpget -v2c -c public -r 0 -t 2 127.0.0.1:${ports.snmpd} 1.3.6.1.2.1.1.6.0`]
      .map((command) => sh(command).stdout);
    if (answers.every((text) => text !== '' && !text.includes('timed out') && !text.includes('refused'))) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const { folder, reason } = packages();
const missing = ['curl', 'dig', 'ssh', 'ssh-keygen', 'sftp', 'sshpass', 'snmpwalk', 'telnet', 'openssl'].filter((tool) => !has(tool));
if (reason !== undefined) {
  console.log(`skipped: ${reason}`);
  process.exit(0);
}
if (missing.length > 0) {
  console.log(`skipped: no ${missing.join(', ')}`);
  process.exit(0);
}
const ports = {};
for (const name of Object.keys(guestPorts)) ports[name] = await freePort();
const recording = join(work, 'session.live');
const forwards = Object.entries(guestPorts).flatMap(([name, spec]) => ['--forward', spec.replace(':', `:${ports[name]}:`)]);
const boot = spawn(process.execPath, [shuntbox, 'boot', '--rootfs', join(folder, 'sysroot'), '--mem', '256MiB', '--guard', 'lighttpd', '--record', recording,
  ...daemons.flatMap((command) => ['--daemon', command]), ...Object.entries(files).flatMap(([path, source]) => ['--file', `${path}=${source}`]), ...forwards], { stdio: ['ignore', 'pipe', 'pipe'] });
let said = '';
for (const stream of [boot.stdout, boot.stderr]) stream.on('data', (bytes) => { said += bytes; });
await ready(ports, boot);

let passed = 0, failed = 0;
const verdict = (good, text) => {
  if (good) passed++;
  else {
    failed++;
    console.log(`FAIL ${text}`);
  }
};
const rows = [];
for (const [program, client, asked, ask] of cases) {
  const answered = ask(ports);
  verdict(answered !== null, `${program}: ${client}: ${asked}`);
  rows.push(`| ${program} | ${client} | ${asked} | ${answered ?? 'NOT ANSWERED'} |`);
}
const ended = new Promise((resolve) => boot.on('close', resolve));
boot.kill('SIGINT');
await ended;
if (failed > 0) console.log(said.slice(-3000));
const repeated = spawnSync(process.execPath, [shuntbox, 'replay', recording], { encoding: 'utf8' });
verdict(repeated.status === 0, `the session repeated: ${repeated.stdout}${repeated.stderr}`);
const page = `# Real clients\n\n<!-- generated by test/programs/clients.mjs -->\n\nUnmodified programs of Debian for mipsel, booted as one router by \`shuntbox boot\`, asked by programs of this computer through forwarded ports. The session is
recorded; repeated, it gives the same event log and the same bytes to every client.\n\n| program | client | asked | answered |\n|---|---|---|---|\n${rows.join('\n')}\n`;
if (write) writeFileSync(table, page);
else verdict(existsSync(table) && readFileSync(table, 'utf8') === page, 'docs/clients.md is not what these runs give; make it anew with --write');
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
