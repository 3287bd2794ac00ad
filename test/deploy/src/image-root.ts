/**
 * The root of a container's file system, as deploy/Dockerfile makes it, in a folder: so that what a container would run can be run
 * without one.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { DEPLOY } from './deploy-folder';
import { imageDefaults, imageStage } from './dockerfile';

export class ImageRoot {
  private constructor(readonly folder: string) {}

  static make(): ImageRoot {
    const root = new ImageRoot(realpathSync(mkdtempSync(join(tmpdir(), 'sluice-image-'))));
    for (const { name, rest } of imageStage().instructions) {
      if (name === 'COPY') root.copy(rest);
      if (name === 'RUN') for (const command of rest.split(' && ')) root.run(command);
    }
    mkdirSync(root.path('/tmp'), { recursive: true });
    return root;
  }

  /** Where a file of the container is. */
  path(inContainer: string): string {
    return join(this.folder, inContainer);
  }

  /** In which programs are looked for: those of the image, then Node and what every system has. */
  get searchPath(): string {
    return [this.path('/usr/local/bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter);
  }

  get workingDirectory(): string {
    return this.path(imageDefaults().workingDirectory);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** `--from=build /image /sluice`: the build stage makes /image by the script. */
  private copy(rest: string): void {
    const [, target = ''] = /^--from=build \/image (\S+)$/.exec(rest) ?? [];
    if (target === '') throw new Error(`COPY ${rest} is not understood here`);
    execFileSync(process.execPath, [join(DEPLOY, 'image-files.mjs'), this.path(target)], { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  private run(command: string): void {
    const [, from, to] = /^ln -s (\S+) (\S+)$/.exec(command) ?? [];
    const [, folder] = /^mkdir (\S+)$/.exec(command) ?? [];
    if (from !== undefined && to !== undefined) {
      mkdirSync(dirname(this.path(to)), { recursive: true });
      symlinkSync(this.path(from), this.path(to));
    } else if (folder !== undefined) mkdirSync(this.path(folder), { recursive: true });
    else if (!/^chown \d+:\d+ /.test(command)) throw new Error(`RUN ${command} is not understood here`);
  }
}
