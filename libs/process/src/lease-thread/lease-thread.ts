/**
 * A process's leases, kept by a thread of their own: renewing them does not wait for what the main thread is busy with. This is the main
 * thread's end: it passes requests on, and mirrors what the thread tells.
 *
 *   serving ── the thread ends ──► restarting (away) ── 100 ms, doubling to 5 s ──► serving
 *      └── close() ──► closed
 *
 * A thread that died is started again with the leases that it held, and takes them up where no other process has them.
 */
import { Worker } from 'node:worker_threads';
import { LeaseEvents } from '@sluice/leases';
import { type Clock, type HeldLease, type Lease, type LeaseEvent, type LeaseHolder, type LeaseListener, systemClock, workerEntry } from '@sluice/ports';
import { type FromLeaseThread, type LeaseLinkOptions, type LeaseRequest, PULSE_INTERVAL_MS, type ToLeaseThread } from './thread-messages';

/** A main thread that gives no sign of life for so long loses its leases. */
export const MAIN_THREAD_LIMIT_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;

export interface LeaseThreadOptions {
  readonly link: LeaseLinkOptions;
  readonly deployment: string;
  /** This process. */
  readonly holder: LeaseHolder;
  readonly ttlMs: number;
  /** Default: 10 s. */
  readonly mainThreadLimitMs?: number;
  /** Told of every change of the connection, in a line without secrets. */
  readonly onStatus?: (message: string) => void;
  /** The thread ended although nobody ended it. It is started again. */
  readonly died?: (error: Error) => void;
  readonly clock?: Clock;
}

interface PendingRequest {
  resolve(held: HeldLease | undefined): void;
  readonly reject: (error: Error) => void;
}

export class LeaseThread implements Lease {
  readonly holder: LeaseHolder;
  readonly ttlMs: number;
  readonly #clock: Clock;
  readonly #events = new LeaseEvents();
  readonly #pulse = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #beating: NodeJS.Timeout;
  readonly #pending = new Map<number, PendingRequest>();
  readonly #held = new Map<string, HeldLease>();
  #nextId = 1;
  #worker: Worker | undefined;
  #exited: Promise<void> = Promise.resolve();
  #pauseMs = FIRST_PAUSE_MS;
  #cancelPause = (): void => undefined;
  #closed = false;

  private constructor(private readonly options: LeaseThreadOptions) {
    this.holder = options.holder;
    this.ttlMs = options.ttlMs;
    this.#clock = options.clock ?? systemClock;
    this.#beating = setInterval(() => Atomics.add(this.#pulse, 0, 1), PULSE_INTERVAL_MS);
    this.#beating.unref();
  }

  /** Resolves when leases can be acquired. Waits for NATS for as long as it takes, or until the signal aborts. */
  static async start(options: LeaseThreadOptions, stopping?: AbortSignal): Promise<LeaseThread> {
    const thread = new LeaseThread(options);
    try {
      await Promise.race([thread.#run(), aborted(stopping)]);
    } catch (error) {
      await thread.terminate();
      throw error;
    }
    return thread;
  }

  get connected(): boolean {
    return !this.#closed && this.#worker !== undefined && !this.#events.away;
  }

  watch(listener: LeaseListener): () => void {
    return this.#events.watch(listener);
  }

  async acquire(name: string): Promise<HeldLease | undefined> {
    const held = await this.#ask({ ask: 'acquire', name });
    if (held !== undefined) this.#held.set(name, held);
    return held;
  }

  async read(name: string): Promise<HeldLease | undefined> {
    return this.#ask({ ask: 'read', name });
  }

  async release(held: HeldLease, successor?: string): Promise<void> {
    if (this.#held.get(held.name)?.epoch === held.epoch) this.#held.delete(held.name);
    // A thread that dies meanwhile does not take up what is not held: the lease runs out.
    await this.#ask({ ask: 'release', held, successor }).catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const answered = this.#ask({ ask: 'close' }).catch(() => undefined);
    this.#closed = true;
    this.#cancelPause();
    await answered;
    await this.#exited;
    clearInterval(this.#beating);
  }

  /** Ends the thread without giving anything back: the leases run out. */
  async terminate(): Promise<void> {
    this.#closed = true;
    this.#cancelPause();
    clearInterval(this.#beating);
    await this.endThread();
  }

  /** Ends the thread as a fault would: it is started again. */
  async endThread(): Promise<void> {
    await this.#worker?.terminate();
    await this.#exited;
  }

  #ask(request: LeaseRequest): Promise<HeldLease | undefined> {
    const worker = this.#worker;
    if (this.#closed) return Promise.reject(new Error('the leases are closed'));
    if (worker === undefined) return Promise.reject(new Error('the thread of the leases ended and is being started again'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.postMessage({ id, request } satisfies ToLeaseThread);
    });
  }

  /** Resolves when the thread is ready, or has ended. */
  #run(): Promise<void> {
    const { link, deployment, mainThreadLimitMs = MAIN_THREAD_LIMIT_MS } = this.options;
    const worker = new Worker(workerEntry(__dirname, 'lease.worker'), {
      name: 'leases',
      execArgv: [],
      workerData: {
        link,
        deployment,
        holder: this.holder,
        ttlMs: this.ttlMs,
        kept: [...this.#held.values()],
        pulse: this.#pulse,
        missedPulsesLimit: Math.ceil(mainThreadLimitMs / PULSE_INTERVAL_MS),
      },
    });
    this.#worker = worker;
    return new Promise((resolve) => {
      let cause: Error | undefined;
      worker.on('message', (message: FromLeaseThread) => {
        if (message.kind === 'ready') {
          this.#pauseMs = FIRST_PAUSE_MS;
          this.#events.tell({ kind: 'back' });
          resolve();
        } else this.#take(message);
      });
      worker.on('error', (error: Error) => {
        cause = error;
      });
      this.#exited = new Promise((exited) => {
        worker.on('exit', () => {
          this.#ended(cause);
          exited();
          resolve();
        });
      });
    });
  }

  #take(message: Exclude<FromLeaseThread, { kind: 'ready' }>): void {
    switch (message.kind) {
      case 'answer':
        this.#settle(message.id)?.resolve(message.held);
        return;
      case 'refusal':
        this.#settle(message.id)?.reject(new Error(message.message));
        return;
      case 'event':
        this.#learn(message.event);
        return;
      case 'status':
        this.options.onStatus?.(message.message);
        return;
      default:
        message satisfies never;
    }
  }

  #learn(event: LeaseEvent): void {
    if (event.kind === 'lost') this.#held.delete(event.lease.name);
    this.#events.tell(event);
  }

  #settle(id: number): PendingRequest | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #ended(cause: Error | undefined): void {
    this.#worker = undefined;
    const error = new Error(`the thread of the leases ended${cause === undefined ? '' : `: ${cause.message}`}`, { cause });
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    if (this.#closed) return;
    this.options.died?.(error);
    this.#events.tell({ kind: 'away', error });
    this.#cancelPause = this.#clock.after(this.#pauseMs, () => {
      if (!this.#closed) void this.#run();
    });
    this.#pauseMs = Math.min(this.#pauseMs * 2, LAST_PAUSE_MS);
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const refuse = (): void => reject(new Error('the process is asked to stop'));
    if (signal?.aborted === true) refuse();
    else signal?.addEventListener('abort', refuse, { once: true });
  });
}
