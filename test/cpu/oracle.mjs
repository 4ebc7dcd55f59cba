// Bundles and runs regenerate.ts; see there.
import { build } from 'esbuild';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';

const directory = mkdtempSync(join(tmpdir(), 'shuntbox-build-'));
const outfile = join(directory, 'regenerate.mjs');
await build({ entryPoints: ['test/cpu/regenerate.ts'], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external', logLevel: 'warning' });
await import(outfile);
rmSync(directory, { recursive: true });
