/**
 * Threads that run the handlers of a module. A thread runs one task at a time; it is ended when its task must stop, whatever the handler does,
 * and another one is started for the next task.
 *
 * The program of a thread is text, so that this library needs no file of its own for it, however it is bundled.
 */
import { pathToFileURL } from 'node:url';
import { isAbsolute, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { failureOf, type HandlerOutcome } from './handler-outcome';
import type { HandlerTask } from './handler-task';

const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const bodyOf = (body) => {
  if (body === undefined) return undefined;
  if (body instanceof Uint8Array) return { bytes: body, contentType: 'application/octet-stream' };
  if (typeof body === 'string') return { bytes: Buffer.from(body, 'utf8'), contentType: 'text/plain' };
  return { bytes: Buffer.from(JSON.stringify(body), 'utf8'), contentType: 'application/json' };
};
const run = async (handlers, task) => {
  const context = {
    signal: new AbortController().signal,
    progress: (done, total = 0, text = '') => parentPort.postMessage({ kind: 'progress', done, total, text }),
  };
  const whole = { ...task, payload: Buffer.from(task.payload), json: () => JSON.parse(Buffer.from(task.payload).toString('utf8')) };
  try {
    parentPort.postMessage({ kind: 'done', result: bodyOf(await handlers[task.type](whole, context)) });
  } catch (error) {
    const permanent = typeof error === 'object' && error !== null && error.permanent === true;
    parentPort.postMessage({ kind: 'failed', message: error instanceof Error ? error.message : String(error), permanent });
  }
};
import(workerData.url).then(
  (module) => {
    const from = [module.default?.handlers, module.handlers, module.default, module].find((candidate) => candidate && Object.values(candidate).some((value) => typeof value === 'function'));
    const handlers = Object.fromEntries(Object.entries(from ?? {}).filter(([, value]) => typeof value === 'function'));
    parentPort.on('message', (task) => void run(handlers, task));
    parentPort.postMessage({ kind: 'ready', types: Object.keys(handlers) });
  },
  (error) => {
    const [place] = String(error?.stack).split('\\n');
    parentPort.postMessage({ kind: 'broken', message: String(error) + (place.startsWith('file:') ? ' (' + place + ')' : '') });
  },
);
`;

type ThreadMessage =
  | { readonly kind: 'ready'; readonly types: readonly string[] }
  | { readonly kind: 'broken'; readonly message: string }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number; readonly text: string }
  | { readonly kind: 'done'; readonly result: HandlerOutcome['result'] }
  | { readonly kind: 'failed'; readonly message: string; readonly permanent: boolean };

export interface ThreadRun {
  readonly outcome: Promise<HandlerOutcome>;
  /** Ends the thread, whatever it does. The outcome never comes then. */
  stop(): void;
}

type Progress = (done: number, total: number, text: string) => void;

class HandlerThread {
  readonly ready: Promise<readonly string[]>;
  private readonly worker: Worker;
  private settle: ((outcome: HandlerOutcome) => void) | undefined;
  private progress: Progress = () => undefined;
  isBroken = false;

  constructor(url: string) {
    this.worker = new Worker(PROGRAM, { eval: true, workerData: { url } });
    this.ready = new Promise((resolve, reject) => {
      this.worker.on('message', (message: ThreadMessage) => this.take(message, resolve, reject));
      this.worker.on('error', (error) => {
        reject(error);
        this.broke(failureOf(error).message);
      });
      this.worker.on('exit', () => this.broke('the thread of the handler ended'));
    });
    this.ready.catch(() => undefined);
  }

  run(task: HandlerTask, progress: Progress): Promise<HandlerOutcome> {
    return new Promise((resolve) => {
      this.settle = resolve;
      this.progress = progress;
      this.worker.postMessage(task);
    });
  }

  end(): void {
    this.isBroken = true;
    this.settle = undefined;
    void this.worker.terminate();
  }

  private take(message: ThreadMessage, ready: (types: readonly string[]) => void, broken: (error: Error) => void): void {
    switch (message.kind) {
      case 'ready':
        return ready(message.types);
      case 'broken':
        broken(new Error(message.message));
        // The next task gets a thread that loads the module again.
        return this.end();
      case 'progress':
        return this.progress(message.done, message.total, message.text);
      case 'done':
        return this.finish({ result: message.result, failure: undefined });
      case 'failed':
        return this.finish({ result: undefined, failure: message });
      default:
        return message satisfies never;
    }
  }

  private broke(message: string): void {
    this.isBroken = true;
    this.finish({ result: undefined, failure: { message, permanent: false } });
  }

  private finish(outcome: HandlerOutcome): void {
    const { settle } = this;
    this.settle = undefined;
    settle?.(outcome);
  }
}

export class HandlerThreads {
  private readonly url: string;
  private idle: HandlerThread[] = [];
  private readonly all = new Set<HandlerThread>();

  /** @param module path, from the working folder, or file URL. It exports handlers by type: `export const handlers = { … }`, or functions. */
  constructor(module: string) {
    this.url = module.startsWith('file:') ? module : pathToFileURL(isAbsolute(module) ? module : resolve(module)).href;
  }

  /** The types that the module has handlers for. Rejects when it cannot be loaded, or has none. */
  async types(): Promise<readonly string[]> {
    const thread = this.started();
    const types = await thread.ready;
    if (types.length === 0) throw new Error(`${this.url} exports no handlers`);
    this.idle.push(thread);
    return types;
  }

  run(task: HandlerTask, progress: Progress): ThreadRun {
    const thread = this.idle.pop() ?? this.started();
    const outcome = thread.ready.then(
      () => thread.run(task, progress),
      (error: unknown) => ({ result: undefined, failure: failureOf(error) }),
    );
    void outcome.then(() => this.release(thread));
    return {
      outcome,
      stop: () => {
        this.all.delete(thread);
        thread.end();
      },
    };
  }

  end(): void {
    for (const thread of this.all) thread.end();
    this.all.clear();
    this.idle = [];
  }

  private started(): HandlerThread {
    const thread = new HandlerThread(this.url);
    this.all.add(thread);
    return thread;
  }

  private release(thread: HandlerThread): void {
    if (thread.isBroken) this.all.delete(thread);
    else this.idle.push(thread);
  }
}
