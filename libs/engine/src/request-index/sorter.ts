/**
 * One worker thread that sorts runs for all partitions of a process; started when the first run is sealed.
 */
import { Worker } from 'node:worker_threads';
import { builtFile } from '../pool/built-file';
import type { RunBuilderReply, RunBuilderRequest } from './run-builder.worker';

type RequestBody = RunBuilderRequest extends infer Request ? (Request extends unknown ? Omit<Request, 'id'> : never) : never;

export class RunSorter {
  private worker: Worker | undefined;
  private nextId = 1;
  private readonly waiting = new Map<number, { resolve: (reply: RunBuilderReply) => void; reject: (error: Error) => void }>();

  begin(run: string, count: number): Promise<void> {
    return this.call({ kind: 'begin', run, count }, []).then(() => undefined);
  }

  /** Takes the entries over (their buffer is transferred). */
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
    const worker = new Worker(builtFile(__dirname, 'run-builder.worker.js'));
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
