/**
 * Where fetched servers stay, so that the second time is quick: `node_modules/.cache/sluice-infra` of the workspace, or the
 * user's cache folder where that cannot be written.
 *
 * What is put there is made beside its place and renamed, so that processes that fetch at the same time do no harm.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export function cacheFolder(): string {
  const user = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice-infra');
  const workspace = workspaceRoot(__dirname);
  const folders = workspace === undefined ? [user] : [join(workspace, 'node_modules', '.cache', 'sluice-infra'), user];
  for (const folder of folders) {
    try {
      mkdirSync(folder, { recursive: true });
      return folder;
    } catch {
      continue;
    }
  }
  throw new Error(`no folder for fetched servers can be written: ${folders.join(', ')}`);
}

/** Makes `name` in the cache by `fill` (into an empty folder), or takes what is there. Resolves with its folder. */
export async function cachedFolder(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const root = cacheFolder();
  const place = join(root, name);
  if (existsSync(place)) return place;
  const making = mkdtempSync(join(root, `.${name}-`));
  try {
    await fill(making);
    try {
      renameSync(making, place);
    } catch (error) {
      // Somebody else was faster: theirs is as good.
      if (!existsSync(place)) throw error;
    }
    return place;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

function workspaceRoot(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'nx.json'))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}
