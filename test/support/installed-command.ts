import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

export interface Said {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** The command as it is installed: bundled into dist/ of a folder of its own, with the folders beside it that it reads. */
export class InstalledCommand {
  readonly folder = mkdtempSync(join(tmpdir(), 'shuntbox-command-'));

  constructor() {
    for (const name of ['node_modules', 'scenarios', 'router-firmware', 'test', 'package.json']) symlinkSync(join(root, name), join(this.folder, name));
    execFileSync(join(root, 'node_modules', '.bin', 'esbuild'), [join(root, 'scenarios', 'cli', 'main.ts'), '--bundle', '--splitting', '--platform=node', '--format=esm', '--packages=external', `--outdir=${join(this.folder, 'dist')}`, '--log-level=warning']);
  }

  /** What follows process.execPath. */
  arguments(args: readonly string[]): string[] {
    return ['--preserve-symlinks-main', join(this.folder, 'dist', 'main.js'), ...args];
  }

  run(args: readonly string[], input = ''): Said {
    return spawnSync(process.execPath, this.arguments(args), { input, encoding: 'utf8', cwd: this.folder, timeout: 60_000 });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
