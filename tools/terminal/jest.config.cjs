module.exports = { ...require('../../jest.preset.cjs'), displayName: 'terminal', rootDir: __dirname };
