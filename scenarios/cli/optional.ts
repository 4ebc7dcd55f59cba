import type { Command } from 'commander';
import { register as registerMeasure } from '../measure/command.js';
import { register as registerShunt } from '../shunt/command.js';

type Register = (program: Command) => void;

/** Commands that live in folders of their own. */
export async function optional(): Promise<Register[]> {
  return [registerMeasure, registerShunt];
}
