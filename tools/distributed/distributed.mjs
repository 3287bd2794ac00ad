/** npm run start:distributed: installs and builds what is missing, then starts everything and stays until Ctrl-C. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { prepare, root } from '../prepare/prepare.mjs';

prepare({ build: 'tools/distributed/tsconfig.lib.json' });
createRequire(import.meta.url)(join(root, 'tools/distributed/dist/main.js'));
