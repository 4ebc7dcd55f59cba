import fc from 'fast-check';

/**
 * `npm test` draws the same cases every time, so that a failure is about the change at hand; FC_SEED=N draws others. The slow
 * suites draw new ones on every run, and a failure there prints its seed.
 */
const FIXED_SEED = 20_040_711;
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env.FC_SEED ?? FIXED_SEED) });
