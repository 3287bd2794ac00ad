import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A package of the folder's `node_modules`; the caller says which part of it it uses. */
export async function installedPackage<Module>(folder: string | undefined, name: string): Promise<Module> {
  if (folder === undefined) throw new Error(`no folder is named in which ${name} is installed`);
  const path = createRequire(join(folder, 'package.json')).resolve(name);
  return (await import(pathToFileURL(path).href)) as Module;
}
