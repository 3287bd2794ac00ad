module.exports = { ...require('../../jest.preset.cjs'), displayName: 'store-mongo', rootDir: __dirname };
