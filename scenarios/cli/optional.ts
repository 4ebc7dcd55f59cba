import type { Command } from 'commander';

type Register = (program: Command) => void;

/** Commands that live in folders of their own. */
export async function optional(): Promise<Register[]> {
  const modules: { register: Register }[] = [];
  return modules.map((module) => module.register);
}
