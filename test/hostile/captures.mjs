// Malformed captures, thrown at the network stack and at a booted router: node test/hostile/captures.mjs [options]
//   --seed N          of the mutants (default 1)
//   --file TEXT       only files whose name holds TEXT
//   --subject NAME    stack; router; "router, rollback"; "router, transparent"; with SHUNTBOX_DEBIAN (see test/programs) also unmodified (default: all of them; may be repeated)
//   --json            the counts as JSON at the end
// SHUNTBOX_CAPTURES names a folder of pcap and pcapng files; without it those of tcpdump's tests are fetched into a folder that is removed again.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

/** The folder, or the reason why there is none. */
function captures() {
  const given = process.env.SHUNTBOX_CAPTURES;
  if (given) return existsSync(given) ? { folder: given } : { reason: `there is no folder ${given}` };
  const folder = mkdtempSync(join(tmpdir(), 'shuntbox-captures-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const fetched = spawnSync('bash', [join(here, 'fetch-captures.sh'), folder], { encoding: 'utf8', timeout: 150_000 });
  return fetched.status === 0 ? { folder } : { reason: `tcpdump's captures cannot be had: ${(fetched.stderr ?? '').trim().split('\n').pop() || 'apt-get gave up'}` };
}

async function harness() {
  // Beside the packages it imports.
  const file = join(here, `.captures-${process.pid}.mjs`);
  process.on('exit', () => rmSync(file, { force: true }));
  await build({ entryPoints: [join(here, 'captures/main.ts')], outfile: file, bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external', logLevel: 'error' });
  return import(pathToFileURL(file).href);
}

function options(names) {
  const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, file: { type: 'string', default: '' }, subject: { type: 'string', multiple: true }, json: { type: 'boolean', default: false } } });
  const wrong = (values.subject ?? []).find((name) => !names.includes(name));
  if (wrong !== undefined) throw new Error(`no subject "${wrong}"; there are: ${names.join('; ')}`);
  if (!/^\d+$/.test(values.seed)) throw new Error(`--seed takes a number, not "${values.seed}"`);
  return { seed: Number(values.seed), file: values.file, subjects: values.subject ?? names, json: values.json };
}

const { main, subjectNames } = await harness();
let wanted;
try {
  wanted = options(subjectNames);
} catch (error) {
  console.error(`captures: ${error.message}`);
  process.exit(2);
}
const { folder, reason } = captures();
if (reason !== undefined) console.log(`skipped: ${reason}`);
else process.exitCode = main(folder, wanted);
