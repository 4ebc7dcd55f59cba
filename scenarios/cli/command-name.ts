import { basename, relative } from 'node:path';

/** How the user calls this program, so that what we print can be typed: installed, or from a clone. */
export function commandName(script = process.argv[1] ?? 'shuntbox', folder = process.cwd()): string {
  return basename(script) === 'shuntbox' ? 'shuntbox' : `node ${relative(folder, script)}`;
}
