/**
 * Nothing is installed without a reason that somebody wrote down, and nothing under a licence that binds its users.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { licenceOf, outsideDependencies, packageFolders, readManifest, ROOT } from './manifests';

const PERMISSIVE = new Set(['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'MIT OR Apache-2.0', '(Apache-2.0 AND BSD-3-Clause)']);

interface Row {
  readonly packages: readonly string[];
  readonly where: readonly string[];
  readonly why: string;
  readonly licence: string;
}

const rows: readonly Row[] = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| package |') && !line.startsWith('| ---'))
  .map((line) => {
    const [packages = '', where = '', why = '', licence = ''] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    const list = (cell: string): string[] => cell.split(',').map((each) => each.trim().replaceAll('`', ''));
    return { packages: list(packages), where: list(where), why, licence };
  });
const rowOf = new Map(rows.flatMap((row) => row.packages.map((name) => [name, row] as const)));

describe.each([...outsideDependencies()].map(([name, where]) => ({ name, where: [...where].sort() })))('$name', ({ name, where }) => {
  test('has its row in docs/dependencies.md, with where and why', () => {
    expect(rowOf.get(name)).toBeDefined();
    expect(rowOf.get(name)?.why).not.toBe('');
    expect(rowOf.get(name)?.where).toEqual(expect.arrayContaining(where));
  });

  test('is permissively licensed, as the row says', () => {
    const licence = licenceOf(name);
    expect(PERMISSIVE).toContain(licence);
    expect(rowOf.get(name)?.licence).toBe(licence);
  });
});

test('no row is about a package that nobody needs any more', () => {
  const needed = outsideDependencies();
  expect([...rowOf.keys()].filter((name) => !needed.has(name))).toEqual([]);
});

test('versions are exact, so that a clone installs what was tried', () => {
  const loose = ['.', ...packageFolders()].flatMap((folder) => {
    const { dependencies, devDependencies } = readManifest(join(ROOT, folder));
    return Object.entries({ ...dependencies, ...devDependencies }).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
  });
  expect(loose).toEqual([]);
});

test('every package of the workspace is Apache-2.0, as the LICENSE file says', () => {
  expect(['.', ...packageFolders()].map((folder) => readManifest(join(ROOT, folder)).license)).toEqual(Array(packageFolders().length + 1).fill('Apache-2.0'));
  expect(readFileSync(join(ROOT, 'LICENSE'), 'utf8')).toMatch(/Apache License\s+Version 2\.0, January 2004/);
});
