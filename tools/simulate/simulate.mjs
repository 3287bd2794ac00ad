/** npm run simulate: installs and builds what is missing, then runs the simulation from source. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from '../prepare/prepare.mjs';

prepare();
const cli = join(root, 'test/simulation/cli.ts');
const { status } = spawnSync(process.execPath, ['-C', '@sluice/source', '--import', 'tsx', cli, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
