/**
 * npm start, npm run demo, npm run replay: installs what is missing, builds what has changed, then is the program: it runs
 * in this same process, so that signals and exit codes are its own.
 *
 *   node tools/start/start.mjs serve
 *   node tools/start/start.mjs demo
 *   node tools/start/start.mjs replay bank FILE
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { prepare, root } from '../prepare/prepare.mjs';

prepare({ build: 'apps/sluice/tsconfig.lib.json' });
const main = join(root, 'apps/sluice/dist/main.js');
process.argv = [process.argv[0], main, ...process.argv.slice(2)];
createRequire(import.meta.url)(main);
