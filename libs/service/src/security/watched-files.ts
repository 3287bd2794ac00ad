/**
 * Files that are read again when they change: certificates and tokens are replaced while the server runs. Polled by
 * content, because notifications get lost where files are swapped by links, as orchestrators do.
 */
import { readFile } from 'node:fs/promises';
import type { Clock } from '@sluice/ports';
import type { Logger } from '@sluice/telemetry';
import { UnusableFileError } from './unusable-file-error';

const POLL_MS = 5_000;

export class WatchedFiles<Value> {
  private contents: readonly Buffer[] = [];
  private current: Value | undefined;
  private cancel: () => void = () => undefined;
  private stopped = false;

  private constructor(
    private readonly paths: readonly string[],
    private readonly parse: (contents: readonly Buffer[]) => Value,
    private readonly changed: (value: Value) => void,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * Rejects if the files cannot be read or parsed now. Later a file that cannot be is logged, and what was read before stays
   * in force.
   */
  static async open<Value>(options: {
    readonly paths: readonly string[];
    readonly parse: (contents: readonly Buffer[]) => Value;
    readonly changed?: (value: Value) => void;
    readonly clock: Clock;
    readonly logger: Logger;
  }): Promise<WatchedFiles<Value>> {
    const { paths, parse, changed = () => undefined, clock, logger } = options;
    const files = new WatchedFiles(paths, parse, changed, clock, logger);
    files.contents = await files.read();
    files.current = parse(files.contents);
    files.schedule();
    return files;
  }

  get value(): Value {
    return this.current as Value;
  }

  close(): void {
    this.stopped = true;
    this.cancel();
  }

  private read(): Promise<Buffer[]> {
    return Promise.all(
      this.paths.map((path) =>
        readFile(path).catch((cause: NodeJS.ErrnoException) => {
          throw new UnusableFileError(`${path} cannot be read (${cause.code ?? cause.message})`);
        }),
      ),
    );
  }

  private schedule(): void {
    if (!this.stopped) this.cancel = this.clock.after(POLL_MS, () => void this.poll());
  }

  private async poll(): Promise<void> {
    try {
      const contents = await this.read();
      if (!contents.every((content, index) => content.equals(this.contents[index] as Buffer))) {
        // Remembered even if it is wrong, so that one mistake is one line in the log.
        this.contents = contents;
        this.current = this.parse(contents);
        if (!this.stopped) this.changed(this.current);
        this.logger.info({ files: this.paths }, 'files were read again');
      }
    } catch (error) {
      this.logger.error({ files: this.paths, error }, 'files changed and cannot be used; what was read before stays in force');
    }
    this.schedule();
  }
}
