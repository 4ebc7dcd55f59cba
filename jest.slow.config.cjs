// The suites that take longer than a developer waits: completeness over hundreds of points, oracles, fuzzing at length.
const config = require('./jest.config.cjs');

module.exports = {
  ...config,
  testMatch: ['**/*.slow.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  setupFiles: [],
  testTimeout: 900_000,
};
