// Makes image/router.cpio.gz: cpio "newc" (magic 070701), names sorted, one fixed modification time, owner root, gzip without
// name and time. The same files give the same bytes. Layout: README.md.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const MTIME = 1104537600;                        // 2005-01-01, SOURCE_DATE_EPOCH of the build
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;

const DIRECTORIES = {
  bin: 0o755, dev: 0o755, etc: 0o755, proc: 0o555, root: 0o700, sbin: 0o755, tmp: 0o1777, usr: 0o755, 'usr/bin': 0o755,
  'usr/sbin': 0o755, var: 0o755, 'var/lib': 0o755, 'var/log': 0o755, 'var/run': 0o755,
};
const PROGRAMS = {
  'sbin/init': 'init', 'usr/sbin/dnsd': 'dnsd', 'usr/sbin/dnsd.patched': 'dnsd.patched', 'usr/sbin/dhcpd': 'dhcpd',
  'usr/sbin/dhcpd.patched': 'dhcpd.patched', 'usr/sbin/quotad': 'quotad', 'usr/sbin/quotad.patched': 'quotad.patched', 'usr/bin/paper-corrupt': 'paper-corrupt',
  'usr/bin/paper-read-loop': 'paper-read-loop', 'usr/bin/paper-pipe': 'paper-pipe', 'usr/bin/ballast': 'ballast',
};

/** Files of rootfs/, as [name in the image, path here]. */
function fileTree(dir, prefix = '') {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const name = prefix + entry.name;
    return entry.isDirectory() ? fileTree(join(dir, entry.name), `${name}/`) : [[name, join(dir, entry.name)]];
  });
}

const pad4 = (bytes) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

/** One member: 110 bytes of header in hexadecimal, the name and the contents, each padded to four bytes. */
function member(ino, name, mode, data, links) {
  const fields = [ino, mode, 0, 0, links, MTIME, data.length, 0, 0, 0, 0, name.length + 1, 0];
  const header = `070701${fields.map((n) => n.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([pad4(Buffer.from(`${header}${name}\0`, 'latin1')), pad4(data)]);
}

const members = new Map();
for (const [name, mode] of Object.entries(DIRECTORIES)) members.set(name, [S_IFDIR | mode, Buffer.alloc(0), 2]);
for (const [name, program] of Object.entries(PROGRAMS)) {
  members.set(name, [S_IFREG | 0o755, readFileSync(join(here, 'bin', program)), 1]);
}
for (const [name, path] of fileTree(join(here, 'rootfs'))) members.set(name, [S_IFREG | 0o644, readFileSync(path), 1]);

const names = [...members.keys()].sort();
const archive = Buffer.concat([
  ...names.map((name, i) => member(i + 1, name, ...members.get(name))),
  member(0, 'TRAILER!!!', 0, Buffer.alloc(0), 1),
]);
const image = gzipSync(archive, { level: 9 });
image[9] = 3;                                    // operating system: Unix, whatever zlib was built for
writeFileSync(join(here, 'image', 'router.cpio.gz'), image);
console.log(`image: ${names.length} members, ${archive.length} bytes, ${image.length} compressed`);
