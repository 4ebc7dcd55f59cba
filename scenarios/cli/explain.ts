import { RouterError } from '../../emulator/router/router.js';
import { SnapshotError } from '../../emulator/base/index.js';
import { RunError } from '../experiment/workers.js';
import { BootError } from '../firmware-image.js';
import { InputError } from '../input-error.js';
import { ScenarioError } from '../scenario.js';
import { EXIT, UsageError } from './errors.js';

/** A one-line message and an exit status for whatever was thrown; only our own bugs show where they happened. */
export function explain(error: unknown): { message: string; code: number } {
  if (error instanceof UsageError || error instanceof ScenarioError || error instanceof RouterError ||
    error instanceof InputError || error instanceof SnapshotError) return { message: error.message, code: EXIT.usage };
  if (error instanceof RunError) return { message: error.message, code: error.code };
  if (error instanceof BootError) return { message: error.message, code: EXIT.failed };
  const system = error as NodeJS.ErrnoException;
  if (typeof system.code === 'string' && typeof system.path === 'string') return { message: `${system.path}: ${systemReason(system.code)}`, code: EXIT.usage };
  if (typeof system.code === 'string' && typeof system.syscall === 'string') return { message: `the computer refuses: ${system.message}`, code: EXIT.usage };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message: `a bug in shuntbox; please report it with this text:\n${stack}`, code: EXIT.internal };
}

function systemReason(code: string): string {
  switch (code) {
    case 'ENOENT': return 'no such file or folder';
    case 'EACCES': return 'permission denied';
    case 'EISDIR': return 'is a folder, a file was expected';
    case 'ENOTDIR': return 'is not a folder';
    case 'ENOSPC': return 'no space left on the disk';
    default: return code;
  }
}
