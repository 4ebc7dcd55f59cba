import { fork, type ChildProcess } from 'node:child_process';
import type { Scenario } from '../scenario.js';
import { runJob, type Job, type Run } from './run.js';

/** What a worker is told and tells; passed by structured clone, so infinities survive. */
interface Order {
  scenario: Scenario;
  job: Job;
}
type Report = { progress: number } | { run: Run } | { failed: string; code: number };

/** A run could not be made; the message is for people, the code an exit status. */
export class RunError extends Error {
  override readonly name = 'RunError';
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

export interface WorkOptions {
  workers: number;
  /** How a worker is started: this program and its arguments. */
  self: readonly [script: string, ...args: string[]];
  onRun: (run: Run) => void;
  /** Sum over the jobs, each from 0 to 1. */
  onProgress?: (done: number) => void;
  /** Ends the work: runs under way are given up. */
  signal?: AbortSignal;
}

/** Makes the runs in processes of their own, `workers` at a time. Throws RunError. */
export async function runInWorkers(scenario: Scenario, jobs: readonly Job[], options: WorkOptions): Promise<void> {
  const waiting = [...jobs];
  const shares = new Map<Worker, number>();
  const crew: Worker[] = [];
  let finished = 0;
  const told = (): void => options.onProgress?.(finished + [...shares.values()].reduce((a, b) => a + b, 0));
  const work = async (): Promise<void> => {
    const worker = new Worker(options.self, options.signal);
    crew.push(worker);
    try {
      for (let job = waiting.shift(); job !== undefined && !options.signal?.aborted; job = waiting.shift()) {
        const run = await worker.run({ scenario, job }, (share) => {
          shares.set(worker, share);
          told();
        });
        shares.delete(worker);
        if (run === null) return;
        finished++;
        options.onRun(run);
        told();
      }
    } catch (error) {
      waiting.length = 0;
      for (const one of crew) one.kill();
      throw error;
    } finally {
      worker.end();
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.workers, jobs.length) }, work));
}

/** One process that makes one run after another. */
class Worker {
  private readonly child: ChildProcess;
  private readonly signal: AbortSignal | undefined;
  private errors = '';

  constructor([script, ...args]: readonly [string, ...string[]], signal?: AbortSignal) {
    this.signal = signal;
    this.child = fork(script, args, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.child.stderr?.on('data', (bytes: Buffer) => { this.errors = (this.errors + bytes.toString('utf8')).slice(-2000); });
    signal?.addEventListener('abort', () => this.kill(), { once: true });
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Null when the work was ended meanwhile. */
  run(order: Order, onProgress: (share: number) => void): Promise<Run | null> {
    return new Promise((resolve, reject) => {
      const settle = (then: () => void): void => {
        this.child.removeAllListeners();
        then();
      };
      this.child.on('error', (error) => settle(() => reject(new RunError(`a worker process cannot be started: ${error.message}`, 70))));
      this.child.on('exit', (code, signal) => settle(() => {
        if (this.signal?.aborted) resolve(null);
        else reject(new RunError(`a worker process ended (${signal ?? `status ${String(code)}`}): ${this.errors.trim()}`, 70));
      }));
      this.child.on('message', (report: Report) => {
        if ('progress' in report) onProgress(report.progress);
        else settle(() => ('run' in report ? resolve(report.run) : reject(new RunError(report.failed, report.code))));
      });
      this.child.send(order);
    });
  }

  end(): void {
    this.child.removeAllListeners().on('error', () => {});
    if (this.child.connected) this.child.disconnect();
  }
}

/**
 * The other side: serves orders until the parent lets go. A terminal's interrupt goes to the whole group; what becomes of a run then is
 * for the parent to say.
 */
export function serveOrders(image: Uint8Array, explain: (error: unknown) => { message: string; code: number }): void {
  const tell = (report: Report): void => { process.send?.(report); };
  process.on('SIGINT', () => {});
  process.on('message', ({ scenario, job }: Order) => {
    try {
      tell({ run: runJob(scenario, job, image, (progress) => tell({ progress })) });
    } catch (error) {
      const { message, code } = explain(error);
      tell({ failed: message, code });
    }
  });
}
