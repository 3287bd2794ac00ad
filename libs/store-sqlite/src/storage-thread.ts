/**
 * The calling end of a storage thread: sends it requests and settles their promises with its answers. A thread does all
 * that waits as one group (one transaction, one fsync), so that callers that wait at the same time share the disk's delay.
 *
 *   starting ── first message ──► serving ── close() ──► closed
 *       └── failure at the start       └── thread died ──► closed (what was under way is rejected)
 */
import { types } from 'node:util';
import { Worker } from 'node:worker_threads';
import { StorageFailure, type Answer, type Start } from './storage-thread-messages';
import { workerEntry } from './worker-entry';

interface PendingRequest {
  resolve(value: unknown): void;
  reject(error: StorageFailure): void;
}

export class StorageThread<Request> {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingRequest>();
  readonly #exited: Promise<void>;
  readonly #description: string;
  #nextId = 1;
  #closed: Promise<void> | undefined;
  #died: Error | undefined;

  private constructor(worker: Worker, description: string) {
    this.#worker = worker;
    this.#description = description;
    worker.on('message', (answers: Answer[]) => this.#settle(answers));
    worker.on('error', (error) => {
      this.#died = error;
    });
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#closed ??= this.#exited;
        this.#rejectAll(`${description} ended${this.#died === undefined ? '' : `: ${this.#died.message}`}`);
        resolve();
      });
    });
  }

  /** Starts the thread of `<name>.worker` and resolves with what it says when it is ready. */
  static async start<Request, Ready>(name: string, description: string, data: unknown): Promise<{ thread: StorageThread<Request>; ready: Ready }> {
    const worker = new Worker(workerEntry(__dirname, `${name}.worker`), { name, workerData: data, execArgv: [] });
    const start = await firstMessage<Start<Ready>>(worker, description);
    if (start.failure !== undefined) {
      await worker.terminate();
      throw new StorageFailure(start.failure);
    }
    return { thread: new StorageThread<Request>(worker, description), ready: start.ready };
  }

  request<Result>(request: Request): Promise<Result> {
    if (this.#closed !== undefined) return Promise.reject(new StorageFailure({ kind: 'failed', message: `${this.#description} is closed` }));
    const id = this.#nextId++;
    return new Promise<Result>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, request });
    });
  }

  /** Lets the thread finish what it has, and close its file. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#worker.postMessage('close');
      this.#closed = this.#exited;
    }
    return this.#closed;
  }

  #settle(answers: Answer[]): void {
    for (const answer of answers) {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (answer.failure === undefined) pending?.resolve(answer.value);
      else pending?.reject(new StorageFailure(answer.failure));
    }
  }

  #rejectAll(message: string): void {
    for (const pending of this.#pending.values()) pending.reject(new StorageFailure({ kind: 'failed', message }));
    this.#pending.clear();
  }
}

/** What the thread says first; rejects if it dies before. */
function firstMessage<Message>(worker: Worker, description: string): Promise<Message> {
  return new Promise((resolve, reject) => {
    const settle = (settled: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      settled();
    };
    const onMessage = (message: Message): void => settle(() => resolve(message));
    const onError = (error: Error): void => settle(() => reject(error));
    const onExit = (code: number): void => settle(() => reject(new Error(`${description} ended with code ${code} before it was ready`)));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}

/** Posting a view copies all of the memory under it: a view of something larger is cut out first. Shared memory is not copied. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  if (types.isSharedArrayBuffer(bytes.buffer) || bytes.byteLength === bytes.buffer.byteLength) return bytes;
  return new Uint8Array(bytes);
}
