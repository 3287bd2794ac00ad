/** Projects a partition into a copy page by page from the log, from where its rows end. Nothing of it comes from the bus. */
import type { Clock, EventLog, ReadCopy } from '@sluice/ports';
import { PartitionFold, type Projection } from '@sluice/projections';
import { type LogPosition, readNextCommit } from '@sluice/protocol';
import { AttemptNames } from './attempt-names';
import { loadRows, setAsideOfPartition } from './row-loading';

/** Commits of one flush: large, so that an aggregate costs one row per flush and not one per commit. */
const PAGE = { maxCommits: 1_024, maxBytes: 8 * 1024 * 1024 };

export interface LogFillOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly copy: ReadCopy;
  /** All of them stand at `from`. */
  readonly projections: readonly Projection[];
  /** Where their rows end. */
  readonly from: LogPosition;
  /** Aggregates kept in memory. */
  readonly cachedAggregates: number;
}

export class LogFill {
  private position: LogPosition;
  private fold: PartitionFold | undefined;
  private readonly names: AttemptNames;

  constructor(private readonly options: LogFillOptions) {
    this.position = options.from;
    this.names = new AttemptNames(options.from.partition, options.clock.nowUs());
  }

  get sequence(): number {
    return this.position.sequence;
  }

  /** Projects the next page of the log, up to the sequence, which the log has. */
  async page(upTo: number): Promise<void> {
    const { log, copy, projections, cachedAggregates } = this.options;
    const { partition } = this.position;
    const records = await log.read(partition, this.position.sequence + 1, { ...PAGE, maxCommits: Math.min(PAGE.maxCommits, upTo - this.position.sequence) });
    if (records.length === 0) throw new Error(`partition ${partition}: the log ends before sequence ${this.position.sequence + 1}, which it had`);
    this.fold ??= new PartitionFold(partition, projections, await setAsideOfPartition(copy, partition, projections), cachedAggregates);
    for (const record of records) {
      const commit = readNextCommit(this.position, record.bytes);
      this.fold.take(commit);
      this.position = { ...this.position, sequence: commit.sequence, checksum: commit.checksum };
    }
    const { batch } = this.fold.project(await loadRows(copy, this.fold), this.names.next());
    await copy.apply(batch);
  }

  /** Forgets what it has in memory: another one needs the room. */
  rest(): void {
    this.fold = undefined;
  }
}
