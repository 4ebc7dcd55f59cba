import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';

/*
 * For commander: places for results. They are looked at before the work begins, so that minutes of it are not lost to a slip of the pen;
 * nothing is made or changed here.
 */

/** A file that will be written. */
export function outputFile(path: string): string {
  if (existsSync(path)) {
    if (statSync(path).isDirectory()) throw new InvalidArgumentError('it is a folder; name a file.');
    mayWrite(path);
  } else {
    const folder = dirname(resolve(path));
    if (!existsSync(folder)) throw new InvalidArgumentError(`there is no folder ${folder}; make it first.`);
    mayWriteIn(folder);
  }
  return path;
}

/** A folder that will be made, with those above it, if it is not there. */
export function outputFolder(path: string): string {
  let folder = resolve(path);
  while (!existsSync(folder)) folder = dirname(folder);
  mayWriteIn(folder);
  return path;
}

function mayWriteIn(folder: string): void {
  if (!statSync(folder).isDirectory()) throw new InvalidArgumentError(`${folder} is a file; a folder was expected.`);
  mayWrite(folder);
}

function mayWrite(path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch {
    throw new InvalidArgumentError(`you may not write to ${path}.`);
  }
}
