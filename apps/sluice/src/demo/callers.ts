/** The demo's side of the thread in which the callers are. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SluiceError } from '@sluice/client';

export interface CallersOptions {
  readonly target: string;
  readonly accountId: string;
  readonly unit: string;
  /** How many call at the same time. */
  readonly callers: number;
  readonly seconds: number;
}

export interface CallersReport {
  /** Postings that were answered. */
  readonly acknowledged: number;
  readonly finished: boolean;
  /** Why they ended early: errors lose their class between threads. */
  readonly failure?: Pick<SluiceError, 'code' | 'reason' | 'message'>;
}

/** A caller got no answer, in all its attempts. */
export class CallersFailedError extends Error {
  constructor(
    /** Postings that were answered until then. */
    readonly acknowledged: number,
    readonly failure: SluiceError,
  ) {
    super(failure.message, { cause: failure });
    this.name = 'CallersFailedError';
  }
}

/** Worker threads are always loaded as built, also when this file runs from its source. */
const ENTRY = join(__dirname, '../../dist/demo/callers.worker.js');

/** Resolves with the number of acknowledged postings when all callers are done. Rejects with CallersFailedError when one gets no answer. */
export function startCallers(options: CallersOptions, progress: (acknowledged: number) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(ENTRY, { workerData: options, execArgv: [] });
    worker.on('message', ({ acknowledged, finished, failure }: CallersReport) => {
      progress(acknowledged);
      if (failure !== undefined) reject(new CallersFailedError(acknowledged, new SluiceError(failure)));
      else if (finished) resolve(acknowledged);
    });
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error('the callers ended before they had finished')));
  });
}
