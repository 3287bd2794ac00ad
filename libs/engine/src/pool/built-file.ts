import { existsSync } from 'node:fs';

/** Threads run built code, also where their starter runs from source: the file of that name beside it, or at the same place in `dist`. */
export function builtFile(directory: string, name: string): string {
  const beside = `${directory}/${name}`;
  if (existsSync(beside)) return beside;
  const source = directory.lastIndexOf('/src');
  return `${directory.slice(0, source)}/dist${directory.slice(source + 4)}/${name}`;
}
