module.exports = { ...require('../../jest.preset.cjs'), displayName: 'simulation', rootDir: __dirname, testMatch: ['**/*.(unit|int|e2e).ts'] };
