/**
 * What is made from protos/ and the folders of the capabilities, and committed, so that a clone builds without buf: the
 * TypeScript of libs/protocol, the descriptor set that server reflection hands out, and the lists of capabilities. Making goes to
 * a temporary folder first; only files that differ are written, so that an up-to-date workspace is left as it is, down to its
 * timestamps.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { buf, workspaceRoot } from './buf';
import { CAPABILITY_LISTS, makeCapabilityLists } from './capability-lists';

export const GENERATED_FOLDER = join('libs', 'protocol', 'src', 'generated');
export const DESCRIPTOR_FILE = join('libs', 'protocol', 'descriptor.binpb');

/** Path in the workspace to content. */
export type Artifacts = ReadonlyMap<string, Buffer>;

export interface Difference {
  readonly path: string;
  readonly kind: 'missing' | 'changed' | 'left over';
}

/** Makes all artifacts anew. Throws BufError for protos that do not compile. */
export function makeArtifacts(): Artifacts {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-codegen-'));
  try {
    buf('generate', '--output', folder);
    mkdirSync(join(folder, dirname(DESCRIPTOR_FILE)), { recursive: true });
    buf('build', '--as-file-descriptor-set', '--output', join(folder, DESCRIPTOR_FILE));
    return new Map([...readFiles(folder, ['.']), ...makeCapabilityLists()]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function committedArtifacts(root = workspaceRoot): Artifacts {
  return readFiles(root, [GENERATED_FOLDER, DESCRIPTOR_FILE, ...CAPABILITY_LISTS]);
}

export function compareArtifacts(made: Artifacts, committed: Artifacts): Difference[] {
  const differences: Difference[] = [];
  for (const [path, content] of made) {
    const there = committed.get(path);
    if (there === undefined) differences.push({ path, kind: 'missing' });
    else if (!there.equals(content)) differences.push({ path, kind: 'changed' });
  }
  for (const path of committed.keys()) {
    if (!made.has(path)) differences.push({ path, kind: 'left over' });
  }
  return differences;
}

/** Makes the workspace equal to `made` by the differences found. */
export function applyDifferences(made: Artifacts, differences: readonly Difference[], root = workspaceRoot): void {
  for (const { path, kind } of differences) {
    const target = join(root, path);
    if (kind === 'left over') {
      rmSync(target);
      continue;
    }
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, made.get(path) as Buffer);
  }
}

function readFiles(root: string, places: readonly string[]): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const visit = (path: string): void => {
    const entries = readdirSync(path, { withFileTypes: true });
    for (const entry of entries) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) visit(child);
      else files.set(relative(root, child), readFileSync(child));
    }
  };
  for (const place of places) {
    const path = join(root, place);
    if (!existsSync(path)) continue;
    if (statSync(path).isFile()) files.set(place, readFileSync(path));
    else visit(path);
  }
  return files;
}
