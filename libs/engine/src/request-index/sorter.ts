/**
 * Sorts the runs of the request index for all partitions of a process.
 */
import { Worker } from 'node:worker_threads';
import { workerEntry } from '@sluice/ports';
import { Filter } from './filter';
import { addToFilter, sortEntries } from './run-builder';
import type { RunBuilderReply, RunBuilderRequest } from './run-builder.worker';

export interface RunSorter {
  /** A run begins, with a filter of this size. */
  begin(run: string, filterBytes: number): Promise<void>;
  /** Sorts a slice of the run and adds it to the run's filter. Takes the entries over: the caller must not use them again. */
  sort(run: string, entries: Int32Array): Promise<Int32Array>;
  /** Resolves with the bytes of the run's filter. */
  finish(run: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Where runs are sorted: on a thread of their own, or on the caller's, which a simulation needs to stay deterministic. */
export type Sorting = 'thread' | 'here';

export function runSorter(sorting: Sorting): RunSorter {
  return sorting === 'thread' ? new ThreadRunSorter() : new LocalRunSorter();
}

class LocalRunSorter implements RunSorter {
  private readonly filters = new Map<string, Filter>();

  async begin(run: string, filterBytes: number): Promise<void> {
    this.filters.set(run, Filter.ofBytes(filterBytes));
  }

  async sort(run: string, entries: Int32Array): Promise<Int32Array> {
    const sorted = sortEntries(entries);
    addToFilter(this.filterOf(run), sorted);
    return sorted;
  }

  async finish(run: string): Promise<Uint8Array> {
    const filter = this.filterOf(run);
    this.filters.delete(run);
    return filter.toBytes();
  }

  async close(): Promise<void> {
    this.filters.clear();
  }

  private filterOf(run: string): Filter {
    const filter = this.filters.get(run);
    if (filter === undefined) throw new Error(`run ${run} was not begun`);
    return filter;
  }
}

type RequestBody = RunBuilderRequest extends infer Request ? (Request extends unknown ? Omit<Request, 'id'> : never) : never;

/** One worker thread, started when the first run is sealed. */
export class ThreadRunSorter implements RunSorter {
  private worker: Worker | undefined;
  private nextId = 1;
  private readonly waiting = new Map<number, { resolve: (reply: RunBuilderReply) => void; reject: (error: Error) => void }>();

  begin(run: string, filterBytes: number): Promise<void> {
    return this.call({ kind: 'begin', run, filterBytes }, []).then(() => undefined);
  }

  async sort(run: string, entries: Int32Array): Promise<Int32Array> {
    const reply = await this.call({ kind: 'sort', run, entries }, [entries.buffer as ArrayBuffer]);
    return reply.entries as Int32Array;
  }

  async finish(run: string): Promise<Uint8Array> {
    const reply = await this.call({ kind: 'finish', run }, []);
    return reply.filter as Uint8Array;
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
    this.worker = undefined;
  }

  private call(body: RequestBody, transfer: ArrayBuffer[]): Promise<RunBuilderReply> {
    const worker = (this.worker ??= this.start());
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      worker.postMessage({ ...body, id }, transfer);
    });
  }

  private start(): Worker {
    const worker = new Worker(workerEntry(__dirname, 'run-builder.worker'));
    worker.unref();
    worker.on('message', (reply: RunBuilderReply) => {
      this.waiting.get(reply.id)?.resolve(reply);
      this.waiting.delete(reply.id);
    });
    worker.on('error', (error) => {
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
      this.worker = undefined;
    });
    return worker;
  }
}
