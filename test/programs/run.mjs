// Unmodified programs of a distribution, each asked something by a client: `node test/programs/run.mjs [--write|--check|--run] [PATTERN]`.
import { runWithPackages } from './packages.mjs';

const [mode = '--run', ...rest] = process.argv.slice(2);
await runWithPackages('main.ts', [mode, ...rest]);
