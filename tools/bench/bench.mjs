/** npm run bench -- SCENARIO: installs and builds what is missing, then measures. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { prepare, root } from '../prepare/prepare.mjs';

prepare({ build: 'apps/sluice/tsconfig.lib.json' });
const { runBench } = createRequire(import.meta.url)(join(root, 'tools/bench/dist/index.js'));
process.exitCode = await runBench(process.argv.slice(2));
