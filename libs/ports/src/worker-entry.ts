/**
 * Finds the built file of a worker thread. Node loads it itself, so it is built code also where its starter runs from source.
 *
 * It is no port. It stands in this library because every library that starts threads may import this one, and adapters may import no other.
 */
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';

/**
 * Path of `<name>.js` in `dist`, for a module in `src` or `dist`.
 * @param directory of the module that starts the thread; the worker's module stands beside it.
 * @throws Error if the file is not there.
 */
export function workerEntry(directory: string, name: string): string {
  const segments = directory.split(sep);
  const source = segments.lastIndexOf('src');
  if (source > segments.lastIndexOf('dist')) segments[source] = 'dist';
  const entry = join(segments.join(sep), `${name}.js`);
  if (!existsSync(entry)) throw new Error(`the worker ${entry} is not built: run the build first`);
  return entry;
}
