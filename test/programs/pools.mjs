// Unmodified daemons with workers under the guard: `node test/programs/pools.mjs [PATTERN]`.
import { runWithPackages } from './packages.mjs';

await runWithPackages('pools.ts', process.argv.slice(2));
