/** One task system in the comparison: its processes, and what was measured of it round by round. */
import type { Worker } from '../machine/orders';
import { mergeHistograms, percentileMs, unpackHistogram, type Histogram } from '../measure/latency';
import { median } from '../measure/median';
import type { TaskSystemFigures } from '../report/report';
import type { TaskAnswer, TaskOrder, TaskPlace } from './task-order';

export const BENCH_QUEUE = 'bench';
const BATCH = 1_000;
const BATCHES_IN_FLIGHT = 4;
const SINGLES_IN_FLIGHT = 64;
const LOOK_MS = 20;
/** Tasks that do not all come within this are given up. */
const RUN_TIMEOUT_MS = 300_000;
const LATENCY_PAUSE_MS = 20;

export interface ContenderOptions {
  /** Name and version. */
  readonly name: string;
  readonly place: TaskPlace;
  /** As many as workers are compared at most. */
  readonly processes: readonly Worker<TaskOrder, TaskAnswer>[];
  /** Resolves when nothing of what was done is still to be processed. */
  readonly settle?: () => Promise<void>;
  /** Creates tasks one by one for so long, in place of the process; resolves with how many a second, and how many in all. */
  readonly createSingles?: (inFlight: number, windowMs: number) => Promise<{ readonly perSecond: number; readonly created: number }>;
  readonly complain: (complaint: string) => void;
}

export class TaskContender {
  readonly name: string;
  /** Tasks that were acknowledged. */
  created = 0;
  private readonly bulk: number[] = [];
  private readonly run = new Map<number, number[]>();
  private readonly singles: number[] = [];
  private readonly latency: Histogram[] = [];

  private constructor(private readonly options: ContenderOptions) {
    this.name = options.name;
  }

  /** Opens the system in each of its processes, and lets each compile what it runs. */
  static async open(options: ContenderOptions, warmUpTasks: number): Promise<TaskContender> {
    const contender = new TaskContender(options);
    for (const process of options.processes) await process.ask({ kind: 'open', place: options.place, queue: BENCH_QUEUE });
    await contender.createBulk(warmUpTasks);
    await contender.work(warmUpTasks, options.processes.length);
    await options.settle?.();
    return contender;
  }

  async measureBulkAndRun(tasks: number, workers: number): Promise<void> {
    this.bulk.push(await this.createBulk(tasks));
    await this.options.settle?.();
    const { handled, perSecond } = await this.work(tasks, workers);
    if (handled !== tasks) this.options.complain(`${this.name}: ${handled} of ${tasks} tasks were run`);
    const measured = this.run.get(workers) ?? [];
    this.run.set(workers, measured);
    measured.push(perSecond);
    await this.options.settle?.();
  }

  async measureSingles(windowMs: number, warmUpMs: number): Promise<void> {
    const { createSingles } = this.options;
    let created: number;
    if (createSingles === undefined) {
      const { count, counted } = await this.first.ask({ kind: 'singles', inFlight: SINGLES_IN_FLIGHT, warmUpMs, windowMs });
      this.singles.push((counted / windowMs) * 1_000);
      created = count;
    } else {
      const answer = await createSingles(SINGLES_IN_FLIGHT, windowMs);
      this.singles.push(answer.perSecond);
      created = answer.created;
    }
    this.created += created;
    await this.options.settle?.();
    // The next measurement finds an empty queue.
    await this.work(created, 1);
    await this.options.settle?.();
  }

  async measureLatency(count: number): Promise<void> {
    const { latency } = await this.first.ask({ kind: 'latency', count, pauseMs: LATENCY_PAUSE_MS });
    this.created += count;
    if (latency !== undefined) this.latency.push(unpackHistogram(latency));
    await this.options.settle?.();
  }

  figures(): TaskSystemFigures {
    const latency = mergeHistograms(this.latency);
    return {
      system: this.name,
      bulkPerSecond: Math.round(median(this.bulk)),
      run: [...this.run].map(([workers, perSecond]) => ({ workers, perSecond: Math.round(median(perSecond)) })),
      singlesPerSecond: Math.round(median(this.singles)),
      startP50Ms: percentileMs(latency, 50) ?? 0,
      startP99Ms: percentileMs(latency, 99) ?? 0,
    };
  }

  private get first(): Worker<TaskOrder, TaskAnswer> {
    const [first] = this.options.processes;
    if (first === undefined) throw new Error(`${this.name} has no process`);
    return first;
  }

  /** @returns tasks per second. */
  private async createBulk(count: number): Promise<number> {
    const answer = await this.first.ask({ kind: 'bulk', count, batchSize: Math.min(BATCH, count), inFlight: BATCHES_IN_FLIGHT });
    this.created += count;
    return (count / Math.max(1, answer.lastAtMs - answer.firstAtMs)) * 1_000;
  }

  /** Runs so many tasks that wait, by so many processes. */
  private async work(tasks: number, workers: number): Promise<{ readonly handled: number; readonly perSecond: number }> {
    const processes = this.options.processes.slice(0, workers);
    await Promise.all(processes.map((process) => process.ask({ kind: 'work' })));
    const giveUpAt = performance.now() + RUN_TIMEOUT_MS;
    for (let handled = 0; handled < tasks && performance.now() < giveUpAt; ) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      handled = countOf(await Promise.all(processes.map((process) => process.ask({ kind: 'handled' }))));
    }
    const answers = await Promise.all(processes.map((process) => process.ask({ kind: 'rest' })));
    const busy = answers.filter(({ count }) => count > 0);
    const handled = countOf(busy);
    const tookMs = Math.max(...busy.map(({ lastAtMs }) => lastAtMs)) - Math.min(...busy.map(({ firstAtMs }) => firstAtMs));
    return { handled, perSecond: handled === 0 ? 0 : (handled / Math.max(1, tookMs)) * 1_000 };
  }
}

function countOf(answers: readonly TaskAnswer[]): number {
  return answers.reduce((sum, { count }) => sum + count, 0);
}
