// Unmodified programs of a distribution, each asked something by a client: `node test/programs/run.mjs [--write|--check|--run] [PATTERN]`.
// SHUNTBOX_DEBIAN names a folder of unpacked packages (debs/, sysroot/); without it they are fetched with apt-get into a folder that is removed again.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const [mode = '--run', ...rest] = process.argv.slice(2);

/** The folder, or the reason why there is none. */
function packages() {
  const given = process.env.SHUNTBOX_DEBIAN;
  if (given) return existsSync(join(given, 'sysroot')) ? { folder: given } : { reason: `${given} holds no sysroot/` };
  const folder = mkdtempSync(join(tmpdir(), 'shuntbox-debian-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const fetched = spawnSync('bash', [join(here, 'fetch.sh'), folder], { encoding: 'utf8', timeout: 150_000 });
  return fetched.status === 0 ? { folder } : { reason: `packages for mipsel cannot be had: ${(fetched.stderr ?? '').trim().split('\n').pop() || 'apt-get gave up'}` };
}

const { folder, reason } = packages();
if (reason !== undefined) {
  console.log(`skipped: ${reason}`);
} else {
  // Beside the packages it imports.
  const file = join(here, `.main-${process.pid}.mjs`);
  process.on('exit', () => rmSync(file, { force: true }));
  await build({ entryPoints: [join(here, 'main.ts')], outfile: file, bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external', logLevel: 'error' });
  const { main } = await import(pathToFileURL(file).href);
  main([folder, mode, ...rest]);
}
