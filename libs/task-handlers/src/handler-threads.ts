/**
 * Threads that run the handlers of a module, in a pool of piscina. A thread runs one task at a time; it is ended when its task must stop, whatever
 * the handler does, and another one is started for the next task.
 *
 * Threads that have no task wait for events, not in `Atomics.wait`: connections and timers of the module live on between tasks.
 */
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';
import { failureOf, type HandlerOutcome } from './handler-outcome';
import type { HandlerTask } from './handler-task';

const PROGRAM = join(__dirname, '..', 'handler-thread.cjs');

type Progress = (done: number, total: number, text: string) => void;

/** What a thread says beside its outcome. */
type ThreadMessage =
  | { readonly kind: 'broken'; readonly run: number; readonly message: string }
  | { readonly kind: 'progress'; readonly run: number; readonly done: number; readonly total: number; readonly text: string };

export interface ThreadRun {
  readonly outcome: Promise<HandlerOutcome>;
  /** Ends the thread, whatever it does. The outcome never comes then. */
  stop(): void;
}

interface Run {
  readonly progress: Progress;
  /** The thread cannot load the module. */
  readonly broken: (error: Error) => void;
}

export class HandlerThreads {
  private readonly url: string;
  private readonly pool: Piscina;
  private readonly runs = new Map<number, Run>();
  private lastRun = 0;

  /**
   * @param module path, from the working folder, or file URL. It exports handlers by type: `export const handlers = { … }`, or functions.
   * @param most threads at a time. A task beyond that waits for a thread.
   */
  constructor(module: string, most: number) {
    this.url = module.startsWith('file:') ? module : pathToFileURL(isAbsolute(module) ? module : resolve(module)).href;
    this.pool = new Piscina({
      filename: PROGRAM,
      workerData: { url: this.url },
      minThreads: 0,
      maxThreads: most,
      idleTimeout: Infinity,
      atomics: 'disabled',
      recordTiming: false,
    });
    this.pool.on('message', (message: ThreadMessage) => this.take(message));
    // A thread without a task died: the next task gets another one.
    this.pool.on('error', () => undefined);
  }

  /** The types that the module has handlers for. Rejects when it cannot be loaded, or has none. */
  async types(): Promise<readonly string[]> {
    const types = await this.begin<readonly string[]>(
      'types',
      (run) => run,
      () => undefined,
    ).outcome;
    if (types.length === 0) throw new Error(`${this.url} exports no handlers`);
    return types;
  }

  run(task: HandlerTask, progress: Progress): ThreadRun {
    const { outcome, stop } = this.begin<HandlerOutcome>('run', (run) => ({ run, task }), progress);
    return { outcome: outcome.catch((error: unknown) => ({ result: undefined, failure: failureOf(error) })), stop };
  }

  /** Ends every thread. The outcomes of what runs never come. */
  end(): void {
    this.runs.clear();
    void this.pool.destroy();
  }

  private begin<Outcome>(name: string, messageOf: (run: number) => unknown, progress: Progress): { outcome: Promise<Outcome>; stop: () => void } {
    const run = (this.lastRun += 1);
    const aborting = new AbortController();
    const stop = (): void => {
      this.runs.delete(run);
      aborting.abort();
    };
    const outcome = new Promise<Outcome>((settle, reject) => {
      const broken = (error: Error): void => {
        stop();
        reject(error);
      };
      this.runs.set(run, { progress, broken });
      void this.pool
        .run(messageOf(run), { name, signal: aborting.signal })
        .then((value: Outcome) => this.runs.delete(run) && settle(value))
        .catch((error: Error) => this.runs.delete(run) && reject(error));
    });
    return { outcome, stop };
  }

  private take(message: ThreadMessage): void {
    const run = this.runs.get(message.run);
    switch (message.kind) {
      case 'broken':
        return run?.broken(new Error(message.message));
      case 'progress':
        return run?.progress(message.done, message.total, message.text);
      default:
        return message satisfies never;
    }
  }
}
