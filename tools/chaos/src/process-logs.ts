/** What the processes say, each in a file of its own. */
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';

export class ProcessLogs {
  private readonly files = new Map<string, WriteStream>();

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  add(process: string, line: string): void {
    let file = this.files.get(process);
    if (file === undefined) {
      file = createWriteStream(join(this.folder, `${process}.log`), { flags: 'a' });
      this.files.set(process, file);
    }
    file.write(`${line}\n`);
  }

  async close(): Promise<void> {
    await Promise.all([...this.files.values()].map((file) => new Promise<void>((resolve) => file.end(() => resolve()))));
  }
}
