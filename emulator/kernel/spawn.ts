import { failed, type Fail } from '../base/index.js';
import { AddressSpace } from '../memory/address-space.js';
import { findExecutable, loadProgram } from './exec.js';
import { logExec } from './execute.js';
import { FdTable } from './fd-table.js';
import { hooks } from './hooks.js';
import type { Kernel, SpawnOptions } from './kernel.js';
import { Rlimit } from './limits.js';
import type { OpenFile } from './open-file.js';
import { Process } from './process.js';
import { Thread } from './thread.js';

const INIT_PID = 1;

/** A process without a parent that runs `path`; nothing is left behind if the program cannot be loaded. */
export function spawnProcess(kernel: Kernel, path: string, argv: string[], envp: string[], options: SpawnOptions): Process | Fail {
  const { root } = kernel.vfs;
  const process = new Process(kernel, options.init ? INIT_PID : kernel.newPid(), new AddressSpace(kernel.ram, kernel.meter), new FdTable(kernel.memory), options.cwd ?? root, root);
  if (options.cred) process.cred = options.cred.clone();
  if (options.limits) for (const [which, limit] of options.limits) process.limits[which] = { ...limit };
  process.fds.limit = process.limits[Rlimit.NOFILE].soft;
  const thread = new Thread(process.pid, process);
  process.threads.push(thread);
  const executable = findExecutable(kernel, process, path);
  const loaded = failed(executable) ? executable : loadProgram(kernel, process, executable, path, argv, envp);
  if (failed(loaded)) {
    process.space.destroy();
    return loaded;
  }
  for (const file of options.stdio ?? consoleThrice(kernel)) process.fds.install(file);
  kernel.processes.set(process.pid, process);
  if (options.init) kernel.init = process;
  logExec(process);
  hooks.exec(process);
  kernel.scheduler.enqueue(thread);
  return process;
}

function consoleThrice(kernel: Kernel): OpenFile[] {
  const file = kernel.console.openFile();
  return [file, file, file];
}
