module.exports = { ...require('../../jest.preset.cjs'), displayName: 'projector', rootDir: __dirname };
