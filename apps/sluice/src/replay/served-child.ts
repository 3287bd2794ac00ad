/** `sluice serve` as a process of its own, which can be killed. Its port stays the same over restarts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** As built, also where this is run from source. */
const MAIN = join(__dirname, '..', '..', 'dist', 'main.js');
const READY_LINE = 'Ctrl-C stops it.';
const ADDRESS = /^\s+address\s+(\S+)$/;

export class ServedChild {
  private child: ChildProcess | undefined;
  private served = '';

  constructor(
    private readonly folder: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  /** HOST:PORT; empty before the first start. */
  get address(): string {
    return this.served;
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const port = this.served === '' ? '0' : this.served.slice(this.served.lastIndexOf(':') + 1);
    const child = spawn(process.execPath, [MAIN, 'serve', '--port', port, '--data', this.folder], {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.served = ADDRESS.exec(line)?.[1] ?? this.served;
        if (line === READY_LINE) resolve();
      });
      child.once('exit', (code, signal) => reject(new Error(`the server on ${this.folder} ended with ${signal ?? `exit code ${code}`}`)));
    });
  }

  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}
