/**
 * Runs before `npm pack`: makes the package self-contained. The generated messages and the other code of the workspace go
 * into one file; only what every user can get from the registry stays a dependency. The type declarations name nothing of
 * the workspace and are taken as the compiler makes them.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const workspace = join(here, '..', '..');

execFileSync(process.execPath, [join(workspace, 'node_modules', '@typescript', 'native-preview', 'bin', 'tsgo'), '-b', join(here, 'tsconfig.lib.json')], {
  stdio: 'inherit',
});
await build({
  entryPoints: [join(here, 'src', 'index.ts')],
  outfile: join(here, 'bundle', 'index.js'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  conditions: ['@sluice/source'],
  external: ['@grpc/grpc-js', '@bufbuild/protobuf', 'piscina'],
  logLevel: 'warning',
});
// A thread begins with a file. The bundle finds it where the compiled module does: beside its own folder.
copyFileSync(join(here, '..', 'task-handlers', 'handler-thread.cjs'), join(here, 'handler-thread.cjs'));
