/** The package manifests of the workspace, and what they say they need. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(__dirname, '../../..');

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly license?: string | { readonly type: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Folders of the workspace's packages, relative to its root; the root itself is "workspace". */
export function packageFolders(): string[] {
  const groups = ['libs', 'apps', 'tools', 'test'];
  const folders = groups.flatMap((group) => readdirSync(join(ROOT, group)).map((name) => `${group}/${name}`));
  return folders.filter((folder) => existsSync(join(ROOT, folder, 'package.json')));
}

/** Package from outside → where it is needed, like "libs/service"; the root manifest is "workspace". */
export function outsideDependencies(): ReadonlyMap<string, ReadonlySet<string>> {
  const needed = new Map<string, Set<string>>();
  for (const where of ['workspace', ...packageFolders()]) {
    const manifest = readManifest(where === 'workspace' ? ROOT : join(ROOT, where));
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies })) {
      if (name.startsWith('@sluice/')) continue;
      const places = needed.get(name) ?? new Set();
      needed.set(name, places.add(where));
    }
  }
  return needed;
}

export function licenceOf(packageName: string): string {
  const { license } = readManifest(join(ROOT, 'node_modules', packageName));
  return typeof license === 'string' ? license : (license?.type ?? 'none');
}
