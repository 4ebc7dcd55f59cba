import { buildSync, type Metafile } from 'esbuild';
import { join } from 'node:path';

/** Packages that are read when the named command starts: those that its modules, and main's, import at once. */
function packagesOf(command: string, { outputs }: Metafile): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { path, kind, external } of outputs[file].imports) {
      if (external && !path.startsWith('node:')) packages.add(path);
      else if (!external && kind === 'import-statement') visit(path);
    }
  };
  for (const [file, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint?.endsWith('cli/main.ts') || entryPoint?.endsWith(`cli/${command}.ts`)) visit(file);
  }
  return packages;
}

test('a command waits for no package of another: boot neither reads scenarios nor draws, list measures nothing', () => {
  const { metafile } = buildSync({
    entryPoints: [join(__dirname, 'main.ts')], bundle: true, splitting: true, platform: 'node', format: 'esm', packages: 'external', outdir: join(__dirname, 'out'), write: false, metafile: true, logLevel: 'warning',
  });
  const boot = packagesOf('boot', metafile);
  expect([...boot]).toEqual(expect.arrayContaining(['commander', 'xstate']));
  for (const other of ['zod', 'yaml', 'benchmark', 'linkedom', '@observablehq/plot', 'cli-table3', 'cli-progress', 'memfs']) expect(boot).not.toContain(other);
  expect(packagesOf('list', metafile)).not.toContain('benchmark');
  expect(packagesOf('list', metafile)).toContain('zod');
});
