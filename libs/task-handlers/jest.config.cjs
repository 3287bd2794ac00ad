module.exports = { ...require('../../jest.preset.cjs'), displayName: 'task-handlers', rootDir: __dirname };
