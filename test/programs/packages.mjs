// Debian's packages for mipsel, unpacked: SHUNTBOX_DEBIAN names the folder (debs/, sysroot/); without it they are fetched with apt-get into a folder that is
// removed again.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

/** The folder, or the reason why there is none. */
export function packages() {
  const given = process.env.SHUNTBOX_DEBIAN;
  if (given) return existsSync(join(given, 'sysroot')) ? { folder: given } : { reason: `${given} holds no sysroot/` };
  const folder = mkdtempSync(join(tmpdir(), 'shuntbox-debian-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const fetched = spawnSync('bash', [join(here, 'fetch.sh'), folder], { encoding: 'utf8', timeout: 150_000 });
  return fetched.status === 0 ? { folder } : { reason: `packages for mipsel cannot be had: ${(fetched.stderr ?? '').trim().split('\n').pop() || 'apt-get gave up'}` };
}

/** Run `main` of a TypeScript file of this folder with the packages and these arguments. */
export async function runWithPackages(source, args) {
  const { folder, reason } = packages();
  if (reason !== undefined) {
    console.log(`skipped: ${reason}`);
    return;
  }
  // Beside the packages it imports.
  const file = join(here, `.${source}-${process.pid}.mjs`);
  process.on('exit', () => rmSync(file, { force: true }));
  await build({ entryPoints: [join(here, source)], outfile: file, bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external', logLevel: 'error' });
  const { main } = await import(pathToFileURL(file).href);
  main([folder, ...args]);
}
