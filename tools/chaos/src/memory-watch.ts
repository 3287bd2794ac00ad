/** The memory of every process while a plan runs: what the system has given it (its resident set). Measured where there is `/proc`. */
import { readFile } from 'node:fs/promises';
import { RepeatedLook } from './repeated-look';

const SAMPLE_EVERY_MS = 2_000;
const PAGE_BYTES = 4_096;
/** Several times what a process needs under the load of a plan. */
const MEMORY_LIMIT_BYTES = 600 << 20;
/** Before, heap and caches of a process fill. */
const SETTLED_AFTER_MS = 60_000;
/** The least that a process had in the first minute after it settled is compared with the least of its last minute: collections of garbage do not count. */
const WINDOW_MS = 60_000;
const GROWTH_LIMIT_BYTES = 100 << 20;

export interface MeasuredProcess {
  readonly name: string;
  readonly pid: number | undefined;
}

export interface ProcessMemory {
  readonly process: string;
  readonly bytes: number;
}

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** One process from its start to its end. */
interface Life {
  readonly name: string;
  readonly samples: Sample[];
}

export class MemoryRecord {
  private readonly lives = new Map<string, Life>();

  add(name: string, pid: number, atMs: number, bytes: number): void {
    const key = `${name} ${pid}`;
    const life = this.lives.get(key) ?? { name, samples: [] };
    this.lives.set(key, life);
    life.samples.push({ atMs, bytes });
  }

  /** The most that any process had; undefined: none was measured. */
  get largest(): ProcessMemory | undefined {
    let largest: ProcessMemory | undefined;
    for (const { name, samples } of this.lives.values()) for (const { bytes } of samples) if (bytes > (largest?.bytes ?? 0)) largest = { process: name, bytes };
    return largest;
  }

  /** The most that a process grew by after it had settled; undefined: none lived long enough. */
  get growth(): ProcessMemory | undefined {
    let most: ProcessMemory | undefined;
    for (const { name, samples } of this.lives.values()) {
      const bytes = growthOf(samples);
      if (bytes !== undefined && bytes > (most?.bytes ?? Number.NEGATIVE_INFINITY)) most = { process: name, bytes };
    }
    return most;
  }

  /** A line for each bound that does not hold. */
  get complaints(): string[] {
    const { largest, growth } = this;
    return [
      ...(largest !== undefined && largest.bytes > MEMORY_LIMIT_BYTES
        ? [`${largest.process} had ${mebibytes(largest.bytes)} of memory, at most ${mebibytes(MEMORY_LIMIT_BYTES)} are expected`]
        : []),
      ...(growth !== undefined && growth.bytes > GROWTH_LIMIT_BYTES
        ? [`${growth.process} grew by ${mebibytes(growth.bytes)} after its first minute, at most ${mebibytes(GROWTH_LIMIT_BYTES)} are expected`]
        : []),
    ];
  }
}

function growthOf(samples: readonly Sample[]): number | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const settledMs = first.atMs + SETTLED_AFTER_MS;
  if (last.atMs < settledMs + 2 * WINDOW_MS) return undefined;
  const least = (fromMs: number, toMs: number): number => Math.min(...samples.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs).map(({ bytes }) => bytes));
  return least(last.atMs - WINDOW_MS, last.atMs) - least(settledMs, settledMs + WINDOW_MS);
}

export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / (1 << 20))} MiB`;
}

export class MemoryWatch {
  readonly record = new MemoryRecord();
  private readonly looking = new RepeatedLook(SAMPLE_EVERY_MS, async () => {
    await Promise.all(this.processes.map((process) => this.sample(process)));
  });

  constructor(
    private readonly processes: readonly MeasuredProcess[],
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  start(): void {
    this.looking.start();
  }

  stop(): Promise<void> {
    return this.looking.stop();
  }

  private async sample({ name, pid }: MeasuredProcess): Promise<void> {
    if (pid === undefined) return;
    // It may have ended meanwhile, or the system has no such file.
    const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => undefined);
    const pages = Number(statm?.split(' ')[1]);
    if (pages > 0) this.record.add(name, pid, this.nowMs(), pages * PAGE_BYTES);
  }
}
