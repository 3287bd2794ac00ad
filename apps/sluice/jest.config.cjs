module.exports = { ...require('../../jest.preset.cjs'), displayName: 'sluice', rootDir: __dirname };
