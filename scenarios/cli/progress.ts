import { SingleBar } from 'cli-progress';

/** A bar on standard error, and nothing where that is no terminal. */
export class Progress {
  private readonly bar: SingleBar | null;

  constructor(enabled = process.stderr.isTTY) {
    this.bar = enabled ? new SingleBar({ format: '{what} {bar} {percentage} %', stream: process.stderr, clearOnComplete: true, hideCursor: true, barsize: 30 }) : null;
    this.bar?.start(100, 0, { what: '' });
  }

  show(what: string, share: number): void {
    this.bar?.update(Math.round(share * 100), { what: what.padEnd(18) });
  }

  stop(): void {
    this.bar?.stop();
  }
}
