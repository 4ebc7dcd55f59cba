import { readSync } from 'node:fs';
import type { Demonstration } from './demonstration.js';
import { conclusion, heading, stages, stageText, type Paint } from './narrative.js';

export interface Stepping {
  write: (text: string) => void;
  /** The next line typed, without its end; null when there is no more. */
  readLine: () => string | null;
}

const PROMPT = '   predict, then press Enter (q ends): ';

/** Shows the demonstration part by part, each after a question and a line of input. False when the viewer has had enough. */
export function stepThrough(d: Demonstration, paint: Paint, { write, readLine }: Stepping): boolean {
  write(`${paint.strong(heading(d))}\n\n`);
  for (const [i, stage] of stages(d, paint).entries()) {
    write(`${paint.strong(`${i + 1}  ?`)}  ${stage.question}\n${PROMPT}`);
    const answer = readLine();
    // A terminal has echoed the end of the line; nothing else has.
    if (answer === null || !process.stdin.isTTY) write('\n');
    if (answer !== null && /^q(uit)?$/i.test(answer.trim())) return false;
    write(`${stageText(stage, i + 1, paint)}`);
  }
  write(`${paint.strong(conclusion(d))}\n`);
  return true;
}

/** One line of standard input, read as it is typed. */
export function lineFromStandardInput(): string | null {
  const byte = Buffer.alloc(1);
  const bytes: number[] = [];
  for (;;) {
    const length = readByte(byte);
    if (length === 0) return bytes.length === 0 ? null : Buffer.from(bytes).toString('utf8');
    if (byte[0] === 10) return Buffer.from(bytes).toString('utf8');
    bytes.push(byte[0]);
  }
}

const NAP_MS = 20;

/** 1, or 0 at the end of the input. A terminal that others set non-blocking is waited for. */
function readByte(into: Buffer): number {
  for (;;) {
    try {
      return readSync(0, into, 0, 1, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return 0;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, NAP_MS);
    }
  }
}
