import type { Ram } from '../memory/ram.js';
import { Slow } from './interpreter.js';
export class Fpu {
  executed = 0;
  constructor(_ram: Ram) {}
  begin(): void { this.executed = 0; }
  execute(_word: number): number { return Slow.done; }
  readControl(_a: number, _r: number): boolean { return true; }
  writeControl(_r: number, _v: number): number { return Slow.done; }
}
