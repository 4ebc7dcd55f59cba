// Host builtins are handed to the test realm as they are: inside jest every other global costs
// ~145 ns a use, which would destroy the interpreter (it works in the CommonJS transform only).
const injected = ['Math', 'Number', 'Object', 'Array', 'Map', 'Set', 'Uint8Array', 'Int8Array', 'Uint16Array',
  'Int16Array', 'Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array',
  'BigInt', 'ArrayBuffer', 'DataView', 'String', 'Buffer', 'WebAssembly', 'Error', 'Symbol', 'JSON'];

module.exports = {
  // By default jest leaves one core free, which on a machine of two is half of it.
  maxWorkers: '100%',
  testEnvironment: 'node',
  roots: ['<rootDir>/test', '<rootDir>/emulator', '<rootDir>/ramdisk', '<rootDir>/scenarios'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '\\.slow\\.test\\.ts$'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
    }],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  setupFiles: ['<rootDir>/test/support/property-seed.ts'],
  sandboxInjectedGlobals: injected,
  coverageProvider: 'v8',
  coverageDirectory: 'coverage',
  collectCoverageFrom: ['emulator/**/*.ts', 'ramdisk/**/*.ts', '!**/*.test.ts'],
};
