/** The battle's side of the thread in which the givers are. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SluiceError } from '@sluice/client';

export interface GiversOptions {
  readonly target: string;
  readonly contestId: string;
  readonly unit: string;
  /** Their accounts, by side. */
  readonly givers: readonly (readonly string[])[];
  /** Whom they give to, by side. */
  readonly members: readonly (readonly string[])[];
  readonly largestGiftMinor: number;
}

/** What the givers are told. */
export type GiversOrder = 'give' | 'pause' | 'stop';

export interface GiversReport {
  /** Gifts that were acknowledged, and their sum. */
  readonly gifts: number;
  readonly amountMinor: number;
  readonly finished: boolean;
  /** Why they ended early: errors lose their class between threads. */
  readonly failure?: Pick<SluiceError, 'code' | 'reason' | 'message'>;
}

/** Worker threads are always loaded as built, also when this file runs from its source. */
const ENTRY = join(__dirname, '../../dist/demo/givers.worker.js');

export class Givers {
  private readonly worker: Worker;
  private readonly ended: Promise<GiversReport>;

  constructor(options: GiversOptions) {
    const worker = new Worker(ENTRY, { workerData: options, execArgv: [] });
    this.worker = worker;
    this.ended = new Promise((resolve, reject) => {
      worker.on('message', (report: GiversReport) => {
        if (report.failure === undefined) resolve(report);
        else reject(new SluiceError(report.failure));
      });
      worker.on('error', reject);
      worker.on('exit', () => reject(new Error('the givers ended before they had finished')));
    });
    // `stop` passes it on.
    this.ended.catch(() => undefined);
  }

  tell(order: GiversOrder): void {
    this.worker.postMessage(order);
  }

  /** Resolves when every gift that was begun has its answer. */
  stop(): Promise<GiversReport> {
    this.tell('stop');
    return this.ended;
  }
}
