import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const installed = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;

/** Put bytes into a file of the host for as long as `use` runs. */
export function inFile<T>(bytes: Uint8Array, use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'shuntbox-core-'));
  try {
    writeFileSync(join(folder, 'core'), bytes);
    return use(join(folder, 'core'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What gdb-multiarch says to commands about a core, with a program beside it if given. */
export function gdb(core: Uint8Array, commands: readonly string[], program?: string): string {
  return inFile(core, (path) => {
    const files = program ? [program, path] : ['-core', path];
    return spawnSync('gdb-multiarch', ['-nx', '-batch', ...files, ...commands.flatMap((command) => ['-ex', command])], { encoding: 'utf8' }).stdout;
  });
}
