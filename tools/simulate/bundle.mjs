/**
 * Makes one file of the simulation and prints its path. The file starts in a moment, and a call from one module into another costs nothing there; run from its
 * sources, a seed takes half as long again.
 */
import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const folder = join(root, 'node_modules/.cache/sluice-simulate');

/** The workspace's packages go into the file, from their sources; what comes from the registry stays where it is. */
const ownPackagesOnly = {
  name: 'own packages only',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) => (kind === 'entry-point' || path.startsWith('@sluice/') ? undefined : { path, external: true }));
  },
};

export async function bundleSimulation() {
  mkdirSync(folder, { recursive: true });
  const bundle = join(folder, 'simulate.cjs');
  // Another process may be about to read the file.
  const made = join(folder, `simulate-${process.pid}.cjs`);
  await build({
    entryPoints: [join(root, 'test/simulation/cli.ts')],
    outfile: made,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    conditions: ['@sluice/source'],
    plugins: [ownPackagesOnly],
    logLevel: 'warning',
  });
  renameSync(made, bundle);
  return bundle;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) console.log(await bundleSimulation());
