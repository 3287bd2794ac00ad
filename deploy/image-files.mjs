/**
 * Puts the files of the container image into a folder, from a workspace that is installed and built:
 *
 *   node deploy/image-files.mjs FOLDER
 *
 * They lie there as in the workspace: the services, the command line, and what these need to run. Types and source maps stay behind.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { productionPackages } from './production-packages.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** What `deploy/sluice.mjs` starts. */
const ROOTS = ['apps/command', 'apps/projector', 'apps/query', 'apps/scheduler', 'apps/sluice', 'libs/service'];
const FILES = ['LICENSE', 'package.json', 'deploy/sluice.mjs'];
const NOT_NEEDED_TO_RUN = /\.(d\.[cm]?ts|map|tsbuildinfo)$/;
/** In a package of the workspace. */
const ONLY_FOR_DEVELOPMENT = /^(src|out-tsc|node_modules|example|jest\.config\.cjs|tsconfig.*\.json|README\.md)$/;

const [target] = process.argv.slice(2);
if (target === undefined || existsSync(target)) {
  console.error(target === undefined ? 'usage: node deploy/image-files.mjs FOLDER' : `${target} exists already`);
  process.exit(2);
}
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
for (const file of FILES) copy(file);
for (const place of productionPackages(packages, ROOTS)) {
  const locked = packages[place];
  if (locked.link === true) link(place, locked.resolved);
  else if (place.includes('node_modules/')) copyInstalled(place, locked);
  else for (const part of readdirSync(join(root, place))) if (!ONLY_FOR_DEVELOPMENT.test(part)) copy(join(place, part));
}

function copy(path) {
  cpSync(join(root, path), join(target, path), { recursive: true, filter: (source) => !NOT_NEEDED_TO_RUN.test(source) });
}

/** A package of another system is locked and not installed. Its own node_modules hold packages that are listed by themselves. */
function copyInstalled(place, { optional }) {
  const from = join(root, place);
  if (!existsSync(from) && optional === true) return;
  const own = join(from, 'node_modules');
  cpSync(from, join(target, place), { recursive: true, filter: (source) => source !== own && !NOT_NEEDED_TO_RUN.test(source) });
}

function link(place, to) {
  const at = join(target, place);
  mkdirSync(dirname(at), { recursive: true });
  symlinkSync(relative(dirname(place), to), at);
}
