// Bundles the command line and the benchmark entry into dist/. Packages stay external: benchmark.js
// breaks when bundled, and the rest is installed beside us anyway.
import { build } from 'esbuild';
import { existsSync, rmSync } from 'node:fs';

const entries = { shuntbox: 'scenarios/cli/main.ts', bench: 'scenarios/bench/main.ts', index: 'emulator/index.ts' };
const present = Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file)));

rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: present,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
});
