/**
 * A lock file made on one system must be whole for the others: npm sometimes writes down only the binaries of the system it
 * ran on, and then `npm ci` fails elsewhere, or installs a package without its binary.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './manifests';

interface LockedPackage {
  readonly version?: string;
  readonly link?: boolean;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, LockedPackage> };

/** As Node looks for it: beside the package, then in each folder above. */
function isLocked(name: string, from: string): boolean {
  for (let folder = from; ; ) {
    if (packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`] !== undefined) return true;
    if (folder === '') return false;
    folder = folder.includes('/node_modules/') ? folder.slice(0, folder.lastIndexOf('/node_modules/')) : '';
  }
}

test('every optional dependency of every package is locked, whatever system it is for', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {})
      .filter((name) => !isLocked(name, path))
      .map((name) => `${name} of ${path}`),
  );
  expect(missing).toEqual([]);
});

test('every package has its version, and none is tied to one registry', () => {
  const installed = Object.entries(packages).filter(([path, { link }]) => path.startsWith('node_modules/') && link !== true);
  expect(installed.filter(([, { version }]) => version === undefined).map(([path]) => path)).toEqual([]);
  expect(installed.filter(([, { resolved }]) => resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/')).map(([path]) => path)).toEqual(
    [],
  );
});
