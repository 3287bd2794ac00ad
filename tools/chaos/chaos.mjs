/** npm run chaos: installs and builds what is missing, then takes things away at random while callers post. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { prepare, root } from '../prepare/prepare.mjs';

prepare({ build: 'tools/chaos/tsconfig.lib.json' });
const { runChaos } = createRequire(import.meta.url)(join(root, 'tools/chaos/dist/index.js'));
process.exitCode = await runChaos(process.argv.slice(2));
