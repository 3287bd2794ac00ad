/**
 * A few threads that share one pending task: it is cut into sub-tasks, one per thread, and joined when all are done. Threads are started
 * with the first task.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

export type PoolMode = 'auto' | 'always' | 'off';

/** What the worker file answers with: the id it was asked with, and the result or the error. */
export interface PoolReply<Result> {
  readonly id: number;
  readonly result?: Result;
  readonly error?: string;
}

interface Waiting<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
  readonly worker: Worker;
}

export class WorkerPool<Task, Result> {
  private readonly workers: Worker[] = [];
  private readonly waiting = new Map<number, Waiting<Result>>();
  private nextId = 1;
  private nextWorker = 0;

  constructor(
    private readonly file: string,
    /** Threads; at least 1. */
    readonly size = Math.max(1, Math.min(8, availableParallelism() - 1)),
  ) {}

  run(task: Task): Promise<Result> {
    const worker = this.worker();
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, worker });
      worker.postMessage({ id, task });
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.splice(0).map((worker) => worker.terminate()));
  }

  private worker(): Worker {
    if (this.workers.length < this.size) this.workers.push(this.start());
    this.nextWorker = (this.nextWorker + 1) % this.workers.length;
    return this.workers[this.nextWorker] as Worker;
  }

  private start(): Worker {
    const worker = new Worker(this.file);
    worker.unref();
    worker.on('message', (reply: PoolReply<Result>) => {
      const waiting = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      if (reply.error === undefined) waiting?.resolve(reply.result as Result);
      else waiting?.reject(new Error(reply.error));
    });
    worker.on('error', (error) => {
      this.workers.splice(this.workers.indexOf(worker), 1);
      for (const [id, waiting] of this.waiting) {
        if (waiting.worker !== worker) continue;
        this.waiting.delete(id);
        waiting.reject(error);
      }
    });
    return worker;
  }
}
