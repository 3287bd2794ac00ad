module.exports = { ...require('../../jest.preset.cjs'), displayName: 'deploy-tests', rootDir: __dirname };
