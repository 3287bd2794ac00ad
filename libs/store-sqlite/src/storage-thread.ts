/**
 * The calling end of a storage thread: sends it requests and settles their promises with its answers. A thread does all
 * that waits as one group (one transaction, one fsync), so that callers that wait at the same time share the disk's delay.
 *
 *   starting ── first message ──► serving ── close() ──► closed
 *       │                          │   ▲                   ▲
 *       └── failure: refused       ▼   │ first message     │ close()
 *                                  pausing ────────────────┘
 *
 * A thread that dies is started again, after 100 ms at first, doubling to 5 s until one has answered. That is sound: the file is closed
 * with the thread, which gives up its transaction, so that what was under way is in the file as a whole or not at all, and
 * cannot come later. Who waited for it is told that it failed, and looks into the file for what became of it; who asks while
 * no thread is there is told so at once.
 */
import { types } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type Clock, systemClock, workerEntry } from '@sluice/ports';
import { StorageFailure, type Answer, type Start } from './storage-thread-messages';

interface PendingRequest {
  resolve(value: unknown): void;
  reject(error: StorageFailure): void;
}

export interface StorageThreadOptions {
  /** The thread's entry is `<name>.worker`. */
  readonly name: string;
  /** What it is, as the beginning of a sentence: "the thread of the event log". */
  readonly description: string;
  readonly data: unknown;
  /** The thread died, or could not be started again: it is tried again. */
  readonly died?: (error: Error) => void;
  readonly clock?: Clock;
}

const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;

export class StorageThread<Request> {
  readonly #options: StorageThreadOptions;
  readonly #clock: Clock;
  readonly #pending = new Map<number, PendingRequest>();
  #worker: Worker | undefined;
  #exited: Promise<void> = Promise.resolve();
  /** Starting again; never rejects. */
  #starting: Promise<void> = Promise.resolve();
  #pauseMs = FIRST_PAUSE_MS;
  #endPause: () => void = () => undefined;
  #nextId = 1;
  #closed: Promise<void> | undefined;

  private constructor(options: StorageThreadOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Starts the thread and resolves with what it says when it is ready. */
  static async start<Request, Ready>(options: StorageThreadOptions): Promise<{ thread: StorageThread<Request>; ready: Ready }> {
    const thread = new StorageThread<Request>(options);
    return { thread, ready: await thread.#start<Ready>() };
  }

  request<Result>(request: Request): Promise<Result> {
    const worker = this.#worker;
    if (this.#closed !== undefined) return Promise.reject(this.#failed('is closed'));
    if (worker === undefined) return Promise.reject(this.#failed('ended and is being started again'));
    const id = this.#nextId++;
    return new Promise<Result>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.postMessage({ id, request });
    });
  }

  /** Lets the thread finish what it has, and close its file. */
  close(): Promise<void> {
    this.#worker?.postMessage('close');
    this.#closed ??= this.#starting.then(() => this.#exited);
    this.#endPause();
    return this.#closed;
  }

  async #start<Ready>(): Promise<Ready> {
    const { name, description, data } = this.#options;
    const worker = new Worker(workerEntry(__dirname, `${name}.worker`), { name, workerData: data, execArgv: [] });
    const start = await firstMessage<Start<Ready>>(worker, description);
    if (start.failure !== undefined) {
      await worker.terminate();
      throw new StorageFailure(start.failure);
    }
    this.#serve(worker);
    return start.ready;
  }

  #serve(worker: Worker): void {
    let cause: Error | undefined;
    this.#worker = worker;
    worker.on('message', (answers: Answer[]) => this.#settle(answers));
    worker.on('error', (error) => {
      cause = error;
    });
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#worker = undefined;
        const failure = this.#failed(`ended${cause === undefined ? '' : `: ${cause.message}`}`);
        this.#rejectAll(failure);
        if (this.#closed === undefined) {
          this.#options.died?.(cause ?? failure);
          this.#starting = this.#startAgain();
        }
        resolve();
      });
    });
    // Closed while it was starting.
    if (this.#closed !== undefined) worker.postMessage('close');
  }

  async #startAgain(): Promise<void> {
    for (;;) {
      await this.#pause();
      if (this.#closed !== undefined) return;
      try {
        await this.#start();
        return;
      } catch (error) {
        this.#options.died?.(error as Error);
      }
    }
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(this.#pauseMs, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
    this.#pauseMs = Math.min(this.#pauseMs * 2, LAST_PAUSE_MS);
  }

  #settle(answers: Answer[]): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    for (const answer of answers) {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (answer.failure === undefined) pending?.resolve(answer.value);
      else pending?.reject(new StorageFailure(answer.failure));
    }
  }

  #rejectAll(failure: StorageFailure): void {
    for (const pending of this.#pending.values()) pending.reject(failure);
    this.#pending.clear();
  }

  #failed(what: string): StorageFailure {
    return new StorageFailure({ kind: 'failed', message: `${this.#options.description} ${what}` });
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
