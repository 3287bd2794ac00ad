/**
 * Fills a fresh copy of the read collections from the log and puts it in force, while the old one is read and written on.
 *
 * The last stretch is the switch: it closes the old copy to every projector, of this process and of others, so that it stands
 * still from a copy that is nearly as new to one that is at least as new. What the old copy ever shows was in the log when the
 * switch began; so the fresh copy is filled up to where the log was after that. A switch that shows no sign of life is ended by
 * the projectors; then it begins again.
 */
import { type Clock, type CopySwitch, type EventLog, type ReadCopy, type ReadStore, SwitchEndedError } from '@sluice/ports';
import type { Projection } from '@sluice/projections';
import { beginningOf } from '@sluice/protocol';
import { LogFill } from './log-fill';
import type { RebuildProgress, Report } from './projector-control';

/** Aggregates kept in memory, per partition; partitions are filled one after the other. */
const CACHED_AGGREGATES = 200_000;
/** As near as that to the heads, the last stretch begins; or after so many rounds of catching up with a log that grows as fast. */
const NEARLY_COMMITS = 64;
const MAXIMUM_ROUNDS = 20;
/** A switch that was ended begins again, so many times at most. */
const MAXIMUM_SWITCHES = 5;
/** Between two signs of life of a switch, a page of commits apart at least. Well below the silence after which projectors end it. */
const SIGN_OF_LIFE_MS = 1_000;

export interface RebuildOptions {
  readonly log: EventLog;
  readonly store: ReadStore;
  readonly projections: readonly Projection[];
  readonly clock: Clock;
  readonly report: Report<RebuildProgress>;
  /** Ends the rebuild: nothing is put in force any more. */
  readonly signal: AbortSignal;
}

/** Throws CopyAbandonedError or CopyClosedError where another rebuild has begun meanwhile. */
export async function rebuild(options: RebuildOptions): Promise<void> {
  const { incarnation, partitions } = options.log.identity;
  const copy = await options.store.beginCopy({ incarnation, partitions });
  await new Rebuild(options, copy).run();
}

class Rebuild {
  private readonly fills: readonly LogFill[];
  private heads: readonly number[];

  constructor(
    private readonly options: RebuildOptions,
    private readonly copy: ReadCopy,
  ) {
    const { log, clock, projections } = options;
    this.fills = Array.from(
      { length: log.identity.partitions },
      (_, partition) => new LogFill({ log, clock, copy, projections, from: beginningOf(log.identity, partition), cachedAggregates: CACHED_AGGREGATES }),
    );
    this.heads = this.fills.map(() => 0);
  }

  async run(): Promise<void> {
    const { log } = this.options;
    this.heads = await log.headSequences();
    this.tell(false);
    for (let round = 0; round < MAXIMUM_ROUNDS && sum(this.heads) - this.doneCommits > NEARLY_COMMITS; round += 1) {
      await this.fillToHeads();
      this.heads = await log.headSequences();
    }
    for (let switches = 1; !(await this.switchOver()); switches += 1) if (switches === MAXIMUM_SWITCHES) throw new SwitchEndedError(this.copy.name);
    this.tell(true);
  }

  /** False: projectors have ended the switch, the old copy has gone on. */
  private async switchOver(): Promise<boolean> {
    const { store, log, clock } = this.options;
    let seen: CopySwitch = await store.beginSwitch(this.copy);
    try {
      let signMs = clock.monotonicMs();
      this.heads = await log.headSequences();
      await this.fillToHeads(async () => {
        if (clock.monotonicMs() - signMs < SIGN_OF_LIFE_MS) return;
        seen = await store.continueSwitch(seen);
        signMs = clock.monotonicMs();
      });
      this.options.signal.throwIfAborted();
      await store.activate(seen);
      return true;
    } catch (error) {
      if (error instanceof SwitchEndedError) return false;
      await store.endSwitch(seen).catch(() => undefined);
      throw error;
    }
  }

  /** @param afterPage runs between two pages. */
  private async fillToHeads(afterPage: () => Promise<void> = async () => undefined): Promise<void> {
    for (const [partition, fill] of this.fills.entries()) {
      const head = this.heads[partition] ?? 0;
      while (fill.sequence < head) {
        this.options.signal.throwIfAborted();
        await fill.page(head);
        this.tell(false);
        await afterPage();
        // The live projection and the services have their turn between two pages.
        await new Promise((resolve) => setImmediate(resolve));
      }
      fill.rest();
    }
  }

  private get doneCommits(): number {
    return sum(this.fills.map((fill) => fill.sequence));
  }

  private tell(switched: boolean): void {
    const { doneCommits } = this;
    this.options.report({ doneCommits, totalCommits: Math.max(sum(this.heads), doneCommits), switched, copy: this.copy.name });
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
