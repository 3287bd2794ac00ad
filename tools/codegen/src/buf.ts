/**
 * Buf, run from the workspace's own node_modules, offline.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export const workspaceRoot = join(__dirname, '..', '..', '..');

/** What buf said when it refused: its own lines, which name file, line and rule. */
export class BufError extends Error {
  constructor(args: readonly string[], output: string) {
    super(`buf ${args.join(' ')} failed:\n${output.trim()}`);
    this.name = 'BufError';
  }
}

export function buf(...args: string[]): void {
  const run = spawnSync(process.execPath, [require.resolve('@bufbuild/buf/bin/buf'), ...args], { cwd: workspaceRoot, encoding: 'utf8' });
  if (run.error !== undefined) throw run.error;
  if (run.status !== 0) throw new BufError(args, `${run.stdout}${run.stderr}`);
}
