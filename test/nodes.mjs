// The same bytes on every Node: the event log of each scenario of the catalog, made by this Node and by other major
// versions from the npm registry, compared by digest.
// `node test/nodes.mjs [--all-arms] [--rootfs=DIR] [MAJOR…]` (default: 22 24, the first and the last arm of each scenario; those on
// unmodified programs only with a root filesystem that holds them).
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';

const root = normalize(join(import.meta.dirname, '..'));
const shuntbox = join(root, 'dist/shuntbox.js');
const flags = process.argv.slice(2);
const majors = flags.filter((flag) => /^\d+$/.test(flag));
const allArms = flags.includes('--all-arms');
const rootfs = flags.filter((flag) => flag.startsWith('--rootfs=')).flatMap((flag) => ['--rootfs', flag.slice('--rootfs='.length)]);
const folder = mkdtempSync(join(tmpdir(), 'shuntbox-nodes-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** The program of a major version, or why there is none. */
function otherNode(major) {
  const target = join(folder, major);
  const name = `node-${process.platform}-${process.arch}`;
  const install = spawnSync('npm', ['install', '--prefix', target, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${major}`], { encoding: 'utf8' });
  const program = join(target, 'node_modules', name, 'bin/node');
  if (install.status !== 0 || !existsSync(program)) return { reason: `no Node ${major} from the npm registry: ${(install.stderr.trim().split('\n')[0] ?? '').slice(0, 200)}` };
  return { program };
}

function logDigest(program, scenario, arm, more) {
  return new Promise((resolve) => {
    const child = spawn(program, [shuntbox, 'log', scenario, '--arm', arm, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
    const hash = createHash('sha256');
    let bytes = 0;
    child.stdout.on('data', (chunk) => { hash.update(chunk); bytes += chunk.length; });
    child.on('close', (code) => resolve(code === 0 && bytes > 0 ? `${hash.digest('hex').slice(0, 16)} (${bytes} bytes)` : `status ${code}, ${bytes} bytes`));
  });
}

const nodes = [{ name: process.version, program: process.execPath }];
for (const major of majors.length > 0 ? majors : ['22', '24']) {
  const { program, reason } = otherNode(major);
  if (program) nodes.push({ name: execFileSync(program, ['--version'], { encoding: 'utf8' }).trim(), program });
  else console.log(`skipped: ${reason}`);
}
let passed = 0, failed = 0;
const catalog = JSON.parse(execFileSync(process.execPath, [shuntbox, 'list', '--json'], { encoding: 'utf8' }));
const left = rootfs.length > 0 ? [] : catalog.filter(({ packages }) => packages.length > 0);
if (left.length > 0) console.log(`skipped: ${left.map(({ name }) => name).join(', ')}: they need --rootfs=DIR`);
for (const { name, arms, packages } of catalog.filter((one) => !left.includes(one))) {
  const more = packages.length > 0 ? rootfs : [];
  for (const arm of allArms ? arms : [...new Set([arms[0], arms[arms.length - 1]])]) {
    const digests = [];
    // Two at a time: the machines this runs on have two cores.
    for (let i = 0; i < nodes.length; i += 2) digests.push(...await Promise.all(nodes.slice(i, i + 2).map(({ program }) => logDigest(program, name, arm, more))));
    const [reference, ...rest] = digests;
    rest.forEach((digest, i) => {
      if (digest === reference && !reference.startsWith('status')) { passed++; return; }
      failed++;
      console.log(`FAIL ${name} ${arm}: Node ${nodes[0].name} ${reference}, Node ${nodes[i + 1].name} ${digest}`);
    });
  }
}
console.log(`event logs equal on ${nodes.map(({ name }) => name).join(', ')}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
