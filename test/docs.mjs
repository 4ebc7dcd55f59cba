// Runs every command of the documentation: each line of each ```sh block in README.md and docs/.
// `shuntbox` is the built command. A line ending in `# exit N` must end with that status; a line that starts with a
// tool the machine lacks, or that speaks of $SHUNTBOX_DEBIAN where there is none, is a skip with its reason. Blocks tagged otherwise (```console, ```text) are not run.
// Every line of a ```text printed block must be among what the commands of the block before it print, whatever the spaces.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync, chmodSync, mkdirSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';

const root = normalize(join(import.meta.dirname, '..'));
// Installing, testing and the full CI run are what surrounds this script; they are not run again from inside it.
const outer = /^(npm (ci|test|start|run)|bash \.ci\/run|git clone|cd |sudo |apt-get )/;

function* markdown(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith('.') && !['node_modules', 'dist', 'coverage'].includes(entry.name)) yield* markdown(path);
    else if (entry.name.endsWith('.md')) yield path;
  }
}

/** The blocks to run, each with the lines that must be printed by it. */
function blocks(path) {
  /** @type {{ commands: string[], printed: string[] }[]} */
  const found = [];
  for (const [, kind, body] of readFileSync(join(root, path), 'utf8').matchAll(/^```(sh|text printed)\n(.*?)^```/gms)) {
    if (kind === 'sh') found.push({ commands: commands(body), printed: [] });
    else found.at(-1).printed.push(...body.split('\n').map(squeezed).filter(Boolean));
  }
  return found;
}

const commands = (body) => body.replace(/\\\n\s*/g, ' ').split('\n')
  .map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#') && !outer.test(line));
const squeezed = (line) => line.trim().replace(/\s+/g, ' ');

const has = (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;

function workFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'shuntbox-docs-'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/shuntbox'), `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'dist/shuntbox.js')}" "$@"\n`);
  chmodSync(join(folder, 'bin/shuntbox'), 0o755);
  for (const name of ['router-firmware', 'scenarios', 'test', 'docs', 'node_modules', 'dist']) {
    if (existsSync(join(root, name))) symlinkSync(join(root, name), join(folder, name));
  }
  return folder;
}

function fail(path, words) {
  failed++;
  console.log(`FAIL ${path}: ${words}`);
}

function skip(path, words) {
  skipped++;
  console.log(`skipped: ${path}: ${words}`);
  return null;
}

/** What the command printed on standard output; null when it was skipped. */
function runLine(path, line, folder, env) {
  const tool = line.split(' ')[0];
  if (!has(tool) && tool !== 'shuntbox') return skip(path, `${tool} is not installed`);
  if (line.includes('$SHUNTBOX_DEBIAN') && !process.env.SHUNTBOX_DEBIAN) return skip(path, 'SHUNTBOX_DEBIAN names no folder of unpacked packages (test/programs/fetch.sh)');
  const expected = Number(/# exit (\d+)$/.exec(line)?.[1] ?? 0);
  const run = spawnSync('bash', ['-c', line], { cwd: folder, env, encoding: 'utf8', timeout: 300_000, input: '' });
  if (run.status === expected) passed++;
  else fail(path, `${line}\n  status ${run.status}, expected ${expected}\n${(run.stdout + run.stderr).slice(-1500)}`);
  return run.stdout;
}

const wanted = process.argv.slice(2);
const files = wanted.length > 0 ? wanted : ['README.md', ...markdown('docs')];
let passed = 0, failed = 0, skipped = 0;
for (const path of files) {
  const folder = workFolder();
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  for (const { commands: lines, printed } of blocks(path)) {
    const said = lines.map((line) => runLine(path, line, folder, env));
    if (said.includes(null)) continue;
    const there = new Set(said.join('').split('\n').map(squeezed));
    for (const line of printed) {
      if (there.has(line)) passed++;
      else fail(path, `does not print: ${line}`);
    }
  }
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
