/**
 * Fills projections that lack commits which the others of their partition have: one that came with this version of the program, or has a
 * new format, or was passed over by an older version. It works beside the live projection, which goes on.
 *
 *   filling ──► near (64 commits are missing, or fewer) ──► joined: the live projection halts until the rest is filled, and takes them over
 *      │ ▲
 *      └─┘ an error: again from the checkpoint, after a back-off
 *
 * Every page moves the checkpoints of these projections alone, so a process that dies leaves nothing to mend.
 */
import { type Clock, CopyClosedError, type EventLog, type ReadCopy } from '@sluice/ports';
import { type Projection, projectionId } from '@sluice/projections';
import { LogFill } from './log-fill';
import { positionsOfRows } from './rows-position';
import { Wakeup } from './wakeup';

/** The live projection may wait for so many commits. */
const NEARLY_COMMITS = 64;
const FIRST_BACK_OFF_MS = 200;
const MAXIMUM_BACK_OFF_MS = 10_000;

export interface ProjectionFillOptions {
  readonly partition: number;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly copy: ReadCopy;
  /** Those that stand at the same sequence. */
  readonly projections: readonly Projection[];
  readonly cachedAggregates: number;
  /** Checkpoint of the live projection, which rises meanwhile. */
  readonly goal: () => number;
  readonly trouble: (what: string, error: unknown) => void;
}

export class ProjectionFill {
  /** Resolves when few commits are missing; pending for ever if the fill was stopped before. */
  readonly near: Promise<void>;
  isNear = false;
  private readonly ended = new AbortController();
  private readonly over = new Wakeup();
  private fill: LogFill | undefined;
  private running: Promise<void> = Promise.resolve();
  private tellNear = (): void => undefined;

  constructor(private readonly options: ProjectionFillOptions) {
    this.near = new Promise((resolve) => {
      this.tellNear = resolve;
    });
  }

  get ids(): string[] {
    return this.options.projections.map(projectionId);
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.ended.abort();
    this.over.wake();
    await this.running;
  }

  /** Fills up to the sequence, at which the live projection stands still. To be called when it is near. */
  async finish(sequence: number): Promise<void> {
    const { fill } = this;
    while (fill !== undefined && fill.sequence < sequence) await fill.page(sequence);
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.ended.signal.aborted; ) {
      try {
        await this.fillUntilNear(() => {
          failures = 0;
        });
        return;
      } catch (error) {
        // Another copy comes in force, in which every projection is filled.
        if (error instanceof CopyClosedError || this.ended.signal.aborted) return;
        failures += 1;
        this.options.trouble(`filling ${this.ids.join(', ')} failed; starting again from the checkpoint`, error);
        await this.pause(Math.min(MAXIMUM_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (failures - 1)));
      }
    }
  }

  private async fillUntilNear(paged: () => void): Promise<void> {
    const { partition, log, clock, copy, projections, cachedAggregates, goal } = this.options;
    const [first] = await positionsOfRows(copy, log, partition, projections);
    if (first === undefined) return;
    const fill = new LogFill({ log, clock, copy, projections, from: first.position, cachedAggregates });
    while (goal() - fill.sequence > NEARLY_COMMITS) {
      if (this.ended.signal.aborted) return;
      await fill.page(goal());
      paged();
      // The live projection and the services have their turn between two pages.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.fill = fill;
    this.isNear = true;
    this.tellNear();
  }

  private async pause(milliseconds: number): Promise<void> {
    const cancel = this.options.clock.after(milliseconds, () => this.over.wake());
    if (!this.ended.signal.aborted) await this.over.wait();
    cancel();
  }
}
