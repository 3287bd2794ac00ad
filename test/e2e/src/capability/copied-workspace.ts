/**
 * A copy of the workspace in a folder of its own: the files that git knows or would take, the build output, and links to the installed
 * packages. Its packages find each other in the copy.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const WORKSPACE = join(__dirname, '..', '..', '..', '..');
const PACKAGE_GROUPS = ['apps', 'libs', 'tools', 'test'];
/** What compilers leave in a package: with it only what has changed is built. */
const BUILD_OUTPUT = ['dist', 'out-tsc', 'node_modules'];
const MAXIMUM_OUTPUT_BYTES = 16 << 20;

export class CopiedWorkspace {
  private constructor(readonly folder: string) {}

  static make(): CopiedWorkspace {
    const copy = new CopiedWorkspace(mkdtempSync(join(tmpdir(), 'sluice-workspace-')));
    copy.copySources();
    copy.linkPackages();
    copy.copyBuildOutput();
    return copy;
  }

  /** Puts the files of the folder at their addresses. */
  add(source: string): void {
    cpSync(join(WORKSPACE, source), this.folder, { recursive: true });
  }

  /** Runs a program in the copy; returns what it printed. Throws with that where it fails. */
  run(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment };
    return execFileSync(program, [...args], { cwd: this.folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: MAXIMUM_OUTPUT_BYTES });
  }

  /** Paths of the files that are not as they were copied. */
  changes(): string[] {
    const lines = this.git('status', '--porcelain', '--untracked-files=all').split('\n');
    return lines.filter((line) => line !== '').map((line) => line.slice('?? '.length));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private copySources(): void {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: WORKSPACE, encoding: 'utf8' });
    for (const path of listed.split('\0')) {
      if (path === '' || !existsSync(join(WORKSPACE, path))) continue;
      mkdirSync(dirname(join(this.folder, path)), { recursive: true });
      cpSync(join(WORKSPACE, path), join(this.folder, path), { preserveTimestamps: true });
    }
    this.git('init', '--quiet');
    this.git('add', '--all');
    this.git('-c', 'user.name=test', '-c', 'user.email=test@localhost', 'commit', '--quiet', '--message', 'As it was');
  }

  private linkPackages(): void {
    const installed = join(WORKSPACE, 'node_modules');
    const modules = join(this.folder, 'node_modules');
    mkdirSync(join(modules, '@sluice'), { recursive: true });
    for (const name of readdirSync(installed)) if (name !== '@sluice' && name !== '.cache') symlinkSync(join(installed, name), join(modules, name));
    // They are relative: in the copy they lead to the copy.
    for (const name of readdirSync(join(installed, '@sluice'))) {
      const path = join(installed, '@sluice', name);
      if (lstatSync(path).isSymbolicLink()) symlinkSync(readlinkSync(path), join(modules, '@sluice', name));
    }
  }

  private copyBuildOutput(): void {
    for (const group of PACKAGE_GROUPS) {
      for (const name of readdirSync(join(this.folder, group))) {
        for (const output of BUILD_OUTPUT) {
          const path = join(group, name, output);
          if (existsSync(join(WORKSPACE, path))) cpSync(join(WORKSPACE, path), join(this.folder, path), { recursive: true, preserveTimestamps: true });
        }
      }
    }
  }

  private git(...args: string[]): string {
    return execFileSync('git', args, { cwd: this.folder, encoding: 'utf8', maxBuffer: MAXIMUM_OUTPUT_BYTES });
  }
}
