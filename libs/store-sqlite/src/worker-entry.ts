/** Worker threads always run the built code: Node loads them itself, also when everything else runs from source. */
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Path of `<name>.js` in `dist`, for a module in `src` or `dist`. */
export function workerEntry(directory: string, name: string): string {
  const segments = directory.split(sep);
  const source = segments.lastIndexOf('src');
  if (source > segments.lastIndexOf('dist')) segments[source] = 'dist';
  const entry = join(segments.join(sep), `${name}.js`);
  if (!existsSync(entry)) throw new Error(`the worker ${entry} is not built: run the build first`);
  return entry;
}
