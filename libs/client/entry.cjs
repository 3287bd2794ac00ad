'use strict';
/**
 * In the workspace: the compiled modules. In the package that `npm pack` makes: the bundle with everything of the workspace
 * in it, which is all that the package has. Nothing is rewritten on the way, so that packing disturbs nobody.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

// Never runs: it tells ES modules the names that they may import.
0 && (module.exports = { DEFAULT_TARGET, POSTING_TYPES, SluiceClient, SluiceError });

const inWorkspace = existsSync(join(__dirname, 'dist', 'index.js'));
module.exports = inWorkspace ? require('./dist/index.js') : require('./bundle/index.js');
