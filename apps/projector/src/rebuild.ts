/**
 * Fills a fresh copy of the read collections from the log and puts it in force, while the old one is read and written on.
 * The live projection stands still only for the last stretch: from a copy that is nearly as new as the old one to one that
 * is at least as new.
 */
import type { Clock, EventLog, ReadCopy, ReadStore } from '@sluice/ports';
import { PartitionFold, PROJECTIONS } from '@sluice/projections';
import { beginningOf, type LogPosition, readNextCommit } from '@sluice/protocol';
import { AttemptNames } from './attempt-names';
import type { RebuildProgress, Report } from './projector-control';
import { loadRows, setAsideOfPartition } from './row-loading';

/** Commits of one flush: large, so that an account costs one row per flush and not one per commit. */
const PAGE = { maxCommits: 1_024, maxBytes: 8 * 1024 * 1024 };
/** Aggregates kept in memory, per partition; partitions are filled one after the other. */
const CACHED_AGGREGATES = 200_000;
/** As near as that to the heads, the last stretch begins; or after so many rounds of catching up with a log that grows as fast. */
const NEARLY_COMMITS = 64;
const MAXIMUM_ROUNDS = 20;

export interface RebuildOptions {
  readonly log: EventLog;
  readonly store: ReadStore;
  readonly clock: Clock;
  readonly report: Report<RebuildProgress>;
  readonly signal: AbortSignal;
  /** Lets the live projection stand still; returns how to let it go on. */
  readonly pauseLive: () => Promise<() => void>;
}

export async function rebuild(options: RebuildOptions): Promise<void> {
  const { log, store, report, signal } = options;
  const { incarnation, partitions } = log.identity;
  const copy = await store.beginCopy({ incarnation, partitions });
  const fills = Array.from({ length: partitions }, (_, partition) => new PartitionFill(options, copy, partition));
  let heads = await log.headSequences();
  const progress = (switched: boolean): RebuildProgress => {
    const doneCommits = sum(fills.map((fill) => fill.sequence));
    return { doneCommits, totalCommits: Math.max(sum(heads), doneCommits), switched, copy: copy.name };
  };
  const fillTo = async (targets: readonly number[]): Promise<void> => {
    for (const [partition, fill] of fills.entries()) {
      while (fill.sequence < (targets[partition] ?? 0)) {
        signal.throwIfAborted();
        await fill.page();
        report(progress(false));
        // The live projection and the services have their turn between two pages.
        await new Promise((resolve) => setImmediate(resolve));
      }
      fill.rest();
    }
  };
  report(progress(false));
  for (let round = 0; round < MAXIMUM_ROUNDS && sum(heads) - sum(fills.map((fill) => fill.sequence)) > NEARLY_COMMITS; round += 1) {
    await fillTo(heads);
    heads = await log.headSequences();
  }
  const resume = await options.pauseLive();
  try {
    await fillTo(await checkpointsOf(store, log));
    await store.activate(copy);
  } finally {
    resume();
  }
  report(progress(true));
}

/** Where the copy in force stands, as far as it is of this log. */
async function checkpointsOf(store: ReadStore, log: EventLog): Promise<number[]> {
  const heads = await log.headSequences();
  if ((await store.incarnation()) !== log.identity.incarnation) return heads;
  const reached = heads.map(() => 0);
  for (const { partition, sequence } of await (await store.current()).checkpoints()) {
    // Rows beyond the log's end are of another history.
    if (partition < reached.length) reached[partition] = Math.min(sequence, heads[partition] as number);
  }
  return reached;
}

class PartitionFill {
  private position: LogPosition;
  private fold: PartitionFold | undefined;
  private readonly names: AttemptNames;

  constructor(
    private readonly options: RebuildOptions,
    private readonly copy: ReadCopy,
    private readonly partition: number,
  ) {
    this.position = beginningOf(options.log.identity, partition);
    this.names = new AttemptNames(partition, options.clock.nowUs());
  }

  get sequence(): number {
    return this.position.sequence;
  }

  /** Projects the next page of the log. */
  async page(): Promise<void> {
    const { log } = this.options;
    const records = await log.read(this.partition, this.position.sequence + 1, PAGE);
    if (records.length === 0) throw new Error(`partition ${this.partition}: the log ends before sequence ${this.position.sequence + 1}, which it had`);
    this.fold ??= new PartitionFold(this.partition, PROJECTIONS, await setAsideOfPartition(this.copy, this.partition), CACHED_AGGREGATES);
    for (const record of records) {
      const commit = readNextCommit(this.position, record.bytes);
      this.fold.take(commit);
      this.position = { ...this.position, sequence: commit.sequence, checksum: commit.checksum };
    }
    const { batch } = this.fold.project(await loadRows(this.copy, this.fold.missing()), this.names.next());
    await this.copy.apply(batch);
  }

  /** Forgets what it has in memory: the next partition needs the room. */
  rest(): void {
    this.fold = undefined;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
