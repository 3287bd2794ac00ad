/** A worker of tasks as a child process of ours: `sluice worker run`, with the handlers of a module. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const MAIN = join(__dirname, '..', '..', '..', 'apps', 'sluice', 'dist', 'main.js');
/** It says so when the server has taken its subscription. */
const WORKING = 'takes tasks of';

export interface WorkerChildOptions {
  /** HOST:PORT of a command service. */
  readonly target: string;
  readonly module: string;
  readonly queues: readonly string[];
  readonly workerId: string;
  readonly capacity?: number;
}

export class WorkerChild {
  private constructor(
    private readonly child: ChildProcess,
    readonly workerId: string,
  ) {}

  /** Resolves when it works. Rejects with what it said if it ends before. */
  static async start({ target, module, queues, workerId, capacity = 10 }: WorkerChildOptions): Promise<WorkerChild> {
    const named = queues.flatMap((queue) => ['--queue', queue]);
    const argv = ['worker', 'run', module, ...named, '--target', target, '--id', workerId, '--capacity', String(capacity)];
    const child = spawn(process.execPath, [MAIN, ...argv], { env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        if (said.includes(WORKING)) return;
        said += chunk.toString('utf8');
        if (said.includes(WORKING)) resolve();
      });
      child.once('exit', (code, signal) => reject(new Error(`worker ${workerId} ended with ${signal ?? `exit code ${code}`}: ${said}`)));
    });
    return new WorkerChild(child, workerId);
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves when it has ended, by whatever. */
  async ended(): Promise<void> {
    if (this.isRunning) await once(this.child, 'exit');
  }

  /** SIGSTOP pauses it, SIGCONT lets it go on. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** As a power cut does; resolves when it is gone. */
  async kill(): Promise<void> {
    const gone = this.ended();
    this.child.kill('SIGKILL');
    await gone;
  }
}
