module.exports = { ...require('../../jest.preset.cjs'), displayName: 'leases', rootDir: __dirname };
