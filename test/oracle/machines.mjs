// The two machines that are compared: ours, and Linux with qemu-mipsel-static as its processor. Both start from the same
// folder as root filesystem, with the same environment, and are given the same program.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
/** SHUNTBOX names another build of the command than this tree's. */
const shuntbox = process.env.SHUNTBOX ?? join(here, '../../dist/shuntbox.js');
export const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'shuntbox');
const QEMU = '/usr/bin/qemu-mipsel-static';
const TIMEOUT_MS = 90_000;

export function has(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

/** Ends as a success that says what was not done. */
export function skip(reason) {
  console.log(`skipped: ${reason}`);
  process.exit(0);
}

/** An archive of the distribution, unpacked: its folder below the cache, or null. SHUNTBOX_DEBS is a folder to look into first. */
export function debian(name) {
  const folder = join(cache, 'debs');
  const unpacked = join(cache, name);
  if (existsSync(unpacked)) return unpacked;
  mkdirSync(folder, { recursive: true });
  const found = () => [process.env.SHUNTBOX_DEBS, folder].filter((at) => at !== undefined && existsSync(at))
    .flatMap((at) => readdirSync(at).filter((file) => file.startsWith(`${name}_`) && file.endsWith('_mipsel.deb')).map((file) => join(at, file)))[0];
  if (!found()) spawnSync('apt-get', ['download', '-qq', `${name}:mipsel`], { cwd: folder, timeout: 60_000 });
  const archive = found();
  if (!archive) return null;
  const beside = mkdtempSync(join(cache, 'unpack-'));
  if (spawnSync('dpkg-deb', ['-x', archive, beside]).status !== 0) return null;
  spawnSync('mv', ['-T', beside, unpacked]);
  return unpacked;
}

/** A folder that both machines take as their root. */
export function rootFolder(files) {
  const root = mkdtempSync(join(tmpdir(), 'shuntbox-oracle-'));
  process.on('exit', () => rmSync(root, { recursive: true, force: true }));
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'tmp', 'w']) mkdirSync(join(root, folder));
  chmodSync(join(root, 'tmp'), 0o1777);
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nusers:x:100:\nnogroup:x:65534:\n');
  for (const [name, { from, text, link }] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    if (link !== undefined) {
      symlinkSync(link, join(root, name));
      continue;
    }
    if (from === undefined) writeFileSync(join(root, name), text);
    else copyFileSync(from, join(root, name));
    chmodSync(join(root, name), from === undefined ? 0o644 : 0o755);
  }
  return root;
}

const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/', TERM: 'dumb' };

/** What came of a command: text, and the status as a shell gives it. */
function collect(child, input, resolve) {
  const parts = { stdout: [], stderr: [] };
  for (const stream of ['stdout', 'stderr']) child[stream].on('data', (bytes) => parts[stream].push(bytes));
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
  child.on('close', (code, signal) => {
    clearTimeout(timer);
    const [stdout, stderr] = [parts.stdout, parts.stderr].map((list) => Buffer.concat(list).toString('latin1'));
    resolve({ stdout, stderr, status: signal === null ? code : `ended by ${signal}` });
  });
  if (input === null) return;
  child.stdin.on('error', () => {});
  child.stdin.end(input, 'latin1');
}

/** Runs argv of the root folder on our machine. */
export function runOurs(root, argv, input = '') {
  return new Promise((resolve) => {
    collect(spawn(process.execPath, [shuntbox, 'run', '--rootfs', root, ...argv], { env: { PATH: process.env.PATH } }), input, resolve);
  });
}

// An ELF32 little-endian executable for MIPS: magic and mask as qemu-binfmt-conf.sh and binfmt_misc(5) describe them.
const BINFMT = String.raw`:mipsel:M::\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x08\x00:\xff\xff\xff\xff\xff\xff\xff\x00\x00\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:${QEMU}:PF`;

// The kernel's own tmpfs, devices and proc in namespaces of their own, where programs of this architecture start by
// themselves: nothing of the host changes, and /proc/self/exe can be executed. A session of its own, or kill(0, …) would
// reach the program that runs beside it.
const INSIDE = `
read go <&3; exec 3<&- || exit 125
root=$1 binfmt=$2; shift 2
set -e
mount --make-rprivate /
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf %s "$binfmt" >/proc/sys/fs/binfmt_misc/register
mount -t tmpfs -o mode=755 none /mnt
cp -r --preserve=mode "$root"/. /mnt
mount -t proc none /mnt/proc
for d in null zero full random urandom; do : >/mnt/dev/$d; mount --bind /dev/$d /mnt/dev/$d; done
set +e
cd /mnt
env -i PATH=${environment.PATH} HOME=${environment.HOME} TERM=${environment.TERM} QEMU_CPU=24Kf setsid --wait /usr/sbin/chroot . "$@"
`;

/** Runs argv of the root folder under qemu, as root of a user namespace that has all ids. */
export function runQemu(root, argv, input = '') {
  return new Promise((resolve) => {
    const args = ['-U', '-m', '-p', '-i', '-n', '-f', '--mount-proc', '--kill-child', 'sh', '-c', INSIDE, 'sh', root, BINFMT, ...argv];
    const child = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
    collect(child, input, ({ stdout, stderr, status }) => resolve({ stdout: withoutQemu(stdout), stderr: withoutQemu(stderr), status }));
    whenApart(child.pid, () => {
      for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${child.pid}/${map}`, '0 0 65536\n');
      child.stdio[3].end('go\n');
    });
  });
}

/** Waits until a process has entered a user namespace of its own. */
function whenApart(pid, then, tries = 500) {
  const own = readlinkSync('/proc/self/ns/user');
  const now = existsSync(`/proc/${pid}/ns/user`) ? readlinkSync(`/proc/${pid}/ns/user`) : own;
  if (now !== own) then();
  else if (tries > 0) setTimeout(() => whenApart(pid, then, tries - 1), 10);
}

/** Without what qemu itself says of a program that a signal ended. */
const withoutQemu = (text) => text.replaceAll(/qemu: uncaught target signal \d+ \([^)]*\) - (core dumped|not dumped)\n/g, '');

/** Why the second machine cannot be had here, or null. */
export async function qemuMissing(root, argv) {
  if (!existsSync(QEMU)) return 'no qemu-mipsel-static (package qemu-user-static)';
  if (process.getuid() !== 0) return 'namespaces with all user ids need root';
  if (!has('unshare')) return 'no unshare (package util-linux)';
  const { stdout, stderr } = await runQemu(root, argv);
  return stdout !== '' ? null : `qemu does not start in a namespace: ${stderr.trim().split('\n').pop()}`;
}

/** The results of tasks, no more than two at once. */
export async function twoAtOnce(tasks) {
  const results = [];
  let next = 0;
  const worker = async () => {
    for (let mine = next++; mine < tasks.length; mine = next++) results[mine] = await tasks[mine]();
  };
  await Promise.all([worker(), worker()]);
  return results;
}
