// Holds our kernel against Linux with an unmodified program, Debian's busybox-static: every case of cases/*.sh is a shell
// script, run in an empty folder on both machines; its output, error output and status must be the same.
// `node test/oracle/busybox.mjs [PATTERN]`: only the cases whose "file: title" holds the pattern.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debian, qemuMissing, rootFolder, runOurs, runQemu, skip, twoAtOnce } from './machines.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const pattern = process.argv[2] ?? '';
const BATCH = 26;

/** A case begins at a line "#: title". */
function casesOf(file) {
  const [, ...sections] = readFileSync(join(here, 'cases', file), 'utf8').split(/^#: /m);
  return sections.map((section) => {
    const end = section.indexOf('\n');
    return { title: `${file.replace('.sh', '')}: ${section.slice(0, end)}`, script: section.slice(end + 1) };
  });
}

/** Programs started straight, so that input, status and signals pass through the commands themselves. */
const straight = [
  { argv: ['cat'], input: 'from standard input\nwithout end' },
  { argv: ['wc'], input: 'a b c\n'.repeat(50_000) },
  { argv: ['sh'], input: 'echo one; read x\nline\necho "$x" >&2; exit 9\n' },
  { argv: ['sh', '-c', 'exit 255'] }, { argv: ['false'] }, { argv: ['true'] }, { argv: ['nosuchapplet'] },
  { argv: ['sh', '-c', 'echo "$@" $#', 'name', '', 'a b', '*'] },
  { argv: ['sort', '-n'], input: '3\n1\n2\n' }, { argv: ['tee', '/w/copy'], input: 'x\n' },
  { argv: ['head', '-c', '0'], input: 'unread' }, { argv: ['dd', 'bs=3', 'count=2'], input: 'abcdefghi' },
].map(({ argv, input = '' }) => ({ title: `straight: ${argv.join(' ')}`, argv: ['/bin/busybox', ...argv], input }));

const MARK = '@@ case';
const DRIVER = `
for c in "$@"; do
  cd /w; mkdir "$c"; cd "$c"
  /bin/busybox sh /cases/$c </dev/null >/tmp/out 2>/tmp/err
  s=$?
  echo "${MARK} $c $s"; cat /tmp/out; echo; echo "${MARK}"; cat /tmp/err; echo
  cd /; /bin/busybox chmod -R u+rwx /w/$c; /bin/busybox rm -rf /w/$c
done
`;

/** Results by case name, from what the driver printed. */
function parse(stdout) {
  const [, ...parts] = stdout.split(`${MARK} `);
  return new Map(parts.map((part) => {
    const [head, ...rest] = part.split('\n');
    const [name, status] = head.split(' ');
    const [out, err] = rest.join('\n').split(`\n${MARK}\n`);
    return [name, { stdout: out, stderr: err, status: Number(status) }];
  }));
}

const deviations = JSON.parse(readFileSync(join(here, 'deviations.json'), 'utf8')).busybox;

/** What Linux on MIPS answers, from what qemu-user does: deviations.json says where and why they differ. */
function corrected(title, answer) {
  for (const { test, stream, qemu, linux } of deviations) {
    if (test !== title || answer === undefined) continue;
    if (!answer[stream].includes(qemu)) answer = { ...answer, stderr: `${answer.stderr}deviations.json is out of date: qemu no longer says ${JSON.stringify(qemu)}\n` };
    answer = { ...answer, [stream]: answer[stream].replace(qemu, () => linux) };
  }
  return answer;
}

const shown = (text) => text.split('\n').map((line) => `      ${JSON.stringify(line).slice(1, -1)}`).join('\n');
let passed = 0;
let failed = 0;

function judge(title, linux, ours) {
  const wrong = ['status', 'stdout', 'stderr'].filter((what) => ours?.[what] !== linux?.[what]);
  if (linux !== undefined && wrong.length === 0) { passed++; return; }
  failed++;
  console.log(`FAIL  ${title}`);
  if (!linux) console.log('    did not end under qemu');
  if (!ours) console.log('    did not end on our machine');
  if (linux && ours) for (const what of wrong) console.log(`    ${what}, Linux:\n${shown(String(linux[what]))}\n    ${what}, ours:\n${shown(String(ours[what]))}`);
}

const folder = debian('busybox-static');
const busybox = folder && join(folder, 'bin/busybox');
if (!busybox || !existsSync(busybox)) skip('busybox-static:mipsel can neither be found (SHUNTBOX_DEBS) nor downloaded');
const cases = readdirSync(join(here, 'cases')).filter((file) => file.endsWith('.sh')).flatMap(casesOf)
  .filter(({ title }) => title.includes(pattern)).map((entry, i) => ({ ...entry, name: `c${i}` }));
const scripts = Object.fromEntries(cases.map(({ name, script }) => [`cases/${name}`, { text: script }]));
// Programs that tar and others look for in PATH.
const links = Object.fromEntries(['bzip2', 'gzip', 'gunzip', 'sh', 'xz'].map((name) => [`bin/${name}`, { link: 'busybox' }]));
const root = rootFolder({ 'bin/busybox': { from: busybox }, ...links, 'cases/driver': { text: DRIVER }, ...scripts });
const missing = await qemuMissing(root, ['/bin/busybox', 'sh', '-c', '/bin/busybox echo works']);
if (missing) skip(missing);

const batches = [];
for (let at = 0; at < cases.length; at += BATCH) batches.push(cases.slice(at, at + BATCH));
await twoAtOnce(batches.map((batch) => async () => {
  const argv = ['/bin/busybox', 'sh', '/cases/driver', ...batch.map(({ name }) => name)];
  const linux = await runQemu(root, argv);
  const ours = await runOurs(root, argv);
  const [expected, got] = [parse(linux.stdout), parse(ours.stdout)];
  for (const { name, title } of batch) judge(title, corrected(title, expected.get(name)), got.get(name));
  if (ours.stderr !== linux.stderr) judge(`${batch[0].title} … ${batch[batch.length - 1].title}`, linux, { ...ours, stdout: linux.stdout });
}));
await twoAtOnce(straight.filter(({ title }) => title.includes(pattern)).map(({ title, argv, input }) => async () => {
  judge(title, await runQemu(root, argv, input), await runOurs(root, argv, input));
}));
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
