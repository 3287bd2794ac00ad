/** A demo's side of a thread that makes its load, apart so that it takes no time from the server. The thread reports once, when it has stopped. */
import { Worker } from 'node:worker_threads';
import { SluiceError } from '@sluice/client';

export interface LoadReport {
  /** Why it ended early: errors lose their class between threads. */
  readonly failure?: Pick<SluiceError, 'code' | 'reason' | 'message'>;
}

export class LoadThread<Order extends string, Report extends LoadReport> {
  private readonly worker: Worker;
  private readonly ended: Promise<Report>;

  /** @param entry the thread's file as built, also when this file runs from its source. */
  constructor(entry: string, workerData: object) {
    const worker = new Worker(entry, { workerData, execArgv: [] });
    this.worker = worker;
    this.ended = new Promise((resolve, reject) => {
      worker.on('message', (report: Report) => {
        if (report.failure === undefined) resolve(report);
        else reject(new SluiceError(report.failure));
      });
      worker.on('error', reject);
      worker.on('exit', () => reject(new Error('the load ended before it had finished')));
    });
    // `stop` passes it on.
    this.ended.catch(() => undefined);
  }

  tell(order: Order | 'stop'): void {
    this.worker.postMessage(order);
  }

  /** Resolves when everything that was begun has its answer. */
  stop(): Promise<Report> {
    this.tell('stop');
    return this.ended;
  }
}
