const preset = require('../../jest.preset.cjs');

// jose is an ES module, and jest runs CommonJS: it is compiled like our own code.
module.exports = {
  ...preset,
  displayName: 'service',
  rootDir: __dirname,
  transform: { ...preset.transform, '/node_modules/jose/.+\\.js$': Object.values(preset.transform)[0] },
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
};
