/** The workers of a replay: processes of their own, which can be killed, or in this process where the server is somebody else's. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SluiceClient } from '@sluice/client';
import { gridWorker, type MeasuredRun } from './grid-worker';

export interface GridWorker {
  /** Of the process that runs now. */
  readonly workerId: string;
  stop(): Promise<void>;
}

export class GridWorkerProcess implements GridWorker {
  workerId = '';
  private child: ChildProcess | undefined;
  private starts = 0;

  constructor(
    private readonly name: string,
    private readonly target: string,
    private readonly queues: readonly string[],
    private readonly onRun: (run: MeasuredRun) => void,
  ) {}

  /** Resolves when the server has taken the worker's subscription. */
  async start(): Promise<void> {
    this.starts += 1;
    this.workerId = `${this.name}.${this.starts}`;
    const { target, queues, workerId } = this;
    const child = fork(programFile(), [JSON.stringify({ target, queues, workerId })], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.child = child;
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => {
        child.on('message', (run) => this.onRun(run as MeasuredRun));
        resolve();
      });
      child.once('exit', (code, signal) => reject(new Error(`worker ${workerId} ended before it worked: ${signal ?? code}`)));
    });
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  stop(): Promise<void> {
    return this.kill();
  }
}

export async function startWorkerHere(
  client: SluiceClient,
  workerId: string,
  queues: readonly string[],
  onRun: (run: MeasuredRun) => void,
): Promise<GridWorker> {
  const worker = gridWorker(client, { queues, workerId }, onRun);
  await worker.begin();
  return { workerId, stop: () => worker.close() };
}

/** Processes run built code, also where their starter runs from source. */
function programFile(): string {
  const beside = join(__dirname, 'grid-worker-process.js');
  return existsSync(beside) ? beside : join(__dirname, '..', 'dist', 'grid-worker-process.js');
}
