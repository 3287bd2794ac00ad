module.exports = { ...require('../../jest.preset.cjs'), displayName: 'bus-nats', rootDir: __dirname };
