/** npm run trace: installs and builds what is missing, sends one posting through all services and prints its trace. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { prepare, root } from '../prepare/prepare.mjs';

prepare({ build: 'tools/trace/tsconfig.lib.json' });
createRequire(import.meta.url)(join(root, 'tools/trace/dist/main.js'));
