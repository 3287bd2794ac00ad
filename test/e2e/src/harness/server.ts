/** `sluice serve` as built, in a process of its own, its data in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(__dirname, '..', '..', '..', '..', 'apps', 'sluice', 'dist', 'main.js');
const READY = 'Ctrl-C stops it.';

export class Server {
  private output = '';
  private changed: () => void = () => undefined;

  private constructor(private readonly child: ChildProcess) {
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString('utf8');
      this.changed();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('close', () => this.changed());
  }

  /** Resolves when it serves; rejects with what it said when it ends before. */
  static async start(folder: string, environment: NodeJS.ProcessEnv = {}, main = MAIN): Promise<Server> {
    const server = new Server(
      spawn(process.execPath, [main, 'serve', '--port', '0', '--data', folder], {
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    while (!server.output.includes(READY)) {
      if (server.child.exitCode !== null) throw new Error(`the server ended with ${server.child.exitCode}: ${server.output}`);
      await new Promise<void>((resolve) => {
        server.changed = resolve;
      });
    }
    return server;
  }

  get address(): string {
    return / address {2,}(\S+)/.exec(this.output)?.[1] ?? '';
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    const ended = once(this.child, 'close');
    this.child.kill(signal);
    await ended;
  }
}

/** A folder that is gone after the tests. */
export function dataFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
