// Writes DIR/manifest.json: the SHA-256 of every source and every built file of DIR, so that a test without a compiler
// notices when one changes without the other. `node manifest.mjs DIR`; manifestOf() is shared with that test.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const SOURCE = /\.(c|h|S|conf)$/;
const BUILT = new Set(['bin', 'debug', 'image']);
const SOURCE_DIRECTORIES = new Set(['rootfs']);

/** All files below `dir`, sorted, as paths relative to `root`. */
function filesBelow(root, dir) {
  const found = [];
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory() && entry.name !== 'bench') found.push(...filesBelow(root, path));
    else if (entry.isFile()) found.push(relative(root, path));
  }
  return found.sort();
}

function hashOf(root, path) {
  return createHash('sha256').update(readFileSync(join(root, path))).digest('hex');
}

/** Hashes of sources and of outputs below `root`. */
export function manifestOf(root) {
  const manifest = { sources: {}, built: {} };
  for (const path of filesBelow(root, root)) {
    const top = path.split('/')[0];
    if (BUILT.has(top)) manifest.built[path] = hashOf(root, path);
    else if (SOURCE.test(path) || SOURCE_DIRECTORIES.has(top)) manifest.sources[path] = hashOf(root, path);
  }
  return manifest;
}

if (process.argv[1]?.endsWith('manifest.mjs')) {
  const root = process.argv[2];
  writeFileSync(join(root, 'manifest.json'), `${JSON.stringify(manifestOf(root), null, 1)}\n`);
}
