module.exports = { ...require('../../jest.preset.cjs'), displayName: 'judged-load', rootDir: __dirname };
