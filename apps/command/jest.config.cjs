module.exports = { ...require('../../jest.preset.cjs'), displayName: 'command', rootDir: __dirname };
