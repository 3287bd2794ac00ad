/** npm run simulate: installs and builds what is missing, bundles the simulation, and runs it. */
import { spawnSync } from 'node:child_process';
import { prepare, root } from '../prepare/prepare.mjs';

prepare();
// Not before it is installed.
const { bundleSimulation } = await import('./bundle.mjs');
const bundle = await bundleSimulation();
const { status } = spawnSync(process.execPath, [bundle, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
