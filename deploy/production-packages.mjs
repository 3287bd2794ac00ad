/**
 * Which packages an installation needs to run, read from the lock file: those that the given ones depend on, without development
 * dependencies. `npm ci --omit=dev` keeps the packages of the workspace that are development dependencies of others, and whatever
 * those need (npm 10 and 11), so the image is not made by it.
 *
 * @typedef {{ link?: boolean, resolved?: string, dependencies?: Record<string, string>, optionalDependencies?: Record<string, string>,
 *   peerDependencies?: Record<string, string>, peerDependenciesMeta?: Record<string, { optional?: boolean }> }} LockedPackage
 */

/**
 * Places of the packages, as the lock file names them ("apps/query", "node_modules/zod"), sorted. A package of the workspace is there
 * twice: its folder, and the link in node_modules. Throws where a package that is needed is not locked.
 *
 * @param {Record<string, LockedPackage>} packages
 * @param {readonly string[]} roots folders of the workspace
 * @returns {string[]}
 */
export function productionPackages(packages, roots) {
  const needed = new Set(roots);
  for (const place of needed) {
    const locked = packages[place];
    if (locked === undefined) throw new Error(`${place} is not in the lock file`);
    if (locked.link === true) {
      needed.add(locked.resolved);
      continue;
    }
    for (const name of Object.keys({ ...locked.dependencies, ...locked.optionalDependencies, ...requiredPeers(locked) })) {
      const found = placeOf(name, place, packages);
      if (found !== undefined) needed.add(found);
      else if (locked.optionalDependencies?.[name] === undefined) throw new Error(`${name}, which ${place} needs, is not in the lock file`);
    }
  }
  return [...needed].sort();
}

/** @param {LockedPackage} locked */
function requiredPeers({ peerDependencies = {}, peerDependenciesMeta = {} }) {
  return Object.fromEntries(Object.entries(peerDependencies).filter(([name]) => peerDependenciesMeta[name]?.optional !== true));
}

/** As Node looks for it: in the package's own node_modules, then beside it, then in each folder above. */
function placeOf(name, from, packages) {
  for (let folder = from; ; ) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[place] !== undefined) return place;
    if (folder === '') return undefined;
    folder = folder.includes('/node_modules/') ? folder.slice(0, folder.lastIndexOf('/node_modules/')) : '';
  }
}
