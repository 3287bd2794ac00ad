const preset = require('../../jest.preset.cjs');

module.exports = { ...preset, displayName: 'service', rootDir: __dirname };
