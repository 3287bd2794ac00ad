/**
 * Where the read store stands: the copy in force, which log it was made from and how far it has it. Many calls may wait for
 * it to go on at once; they share one subscription and one look per change.
 */
import type { Clock, ReadCopy, ReadStore } from '@sluice/ports';
import { RecentLateness } from '@sluice/service';

export interface Standing {
  readonly copy: ReadCopy;
  /** Undefined: the store is empty, no projector has been at it yet. */
  readonly incarnation: string | undefined;
  /** Checkpoints by the id of the projection and the partition; also of projections that this version does not know. */
  readonly sequences: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

const NOTHING: ReadonlyMap<number, number> = new Map();

/** Newest sequence of the projection, by partition. */
export function sequencesOf({ sequences }: Standing, projection: string): ReadonlyMap<number, number> {
  return sequences.get(projection) ?? NOTHING;
}

/**
 * Whether rows of the projection lack commits that other rows have: it came with this version, or has a new format, and is being filled. A
 * projection that has everything is never behind another one, since their checkpoints move together.
 */
export function isBeingFilled(standing: Standing, projection: string): boolean {
  const own = sequencesOf(standing, projection);
  for (const others of standing.sequences.values()) {
    for (const [partition, sequence] of others) if (sequence > (own.get(partition) ?? 0)) return true;
  }
  return false;
}

/** A change that no notice came of is found after so long. */
const LOOK_ANYWAY_MS = 100;

export class StandingFeed {
  /** How late waits were over. */
  readonly lateness = new RecentLateness();
  private newest: Standing | undefined;
  private looking: Promise<Standing> | undefined;
  private waiting = new Set<() => void>();
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly store: ReadStore,
    private readonly clock: Clock,
  ) {}

  /** The copy in force. */
  copy(): Promise<ReadCopy> {
    return this.store.current();
  }

  /** As it was seen last, if that was of the copy in force; it can only have gone on since. */
  async seen(): Promise<Standing> {
    const copy = await this.store.current();
    return this.newest?.copy.name === copy.name && this.newest.incarnation !== undefined ? this.newest : this.look();
  }

  /** As it is now. Calls at the same time share one look. */
  look(): Promise<Standing> {
    this.looking ??= this.readStanding().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  /** Resolves when the store may have changed, after the time, or when the signal aborts; whichever is first. */
  async changed(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    this.stopListening ??= this.store.onChange(() => this.wakeAll());
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        cancel();
        signal?.removeEventListener('abort', wake);
        this.waiting.delete(wake);
        resolve();
      };
      const waitMs = Math.min(milliseconds, LOOK_ANYWAY_MS);
      const dueMs = this.clock.monotonicMs() + waitMs;
      const cancel = this.clock.after(waitMs, () => {
        const nowMs = this.clock.monotonicMs();
        this.lateness.note(nowMs - dueMs, nowMs);
        wake();
      });
      signal?.addEventListener('abort', wake);
      this.waiting.add(wake);
    });
    if (this.waiting.size === 0) this.stop();
  }

  /** Listens to the store no longer, until somebody waits again. */
  stop(): void {
    this.stopListening?.();
    this.stopListening = undefined;
    this.wakeAll();
  }

  private wakeAll(): void {
    const woken = this.waiting;
    this.waiting = new Set();
    for (const wake of woken) wake();
  }

  private async readStanding(): Promise<Standing> {
    // First the incarnation, then the copy: a switch in between shows as an older incarnation, and the caller looks again.
    const incarnation = await this.store.incarnation();
    const copy = await this.store.current();
    const sequences = new Map<string, Map<number, number>>();
    for (const { projection, partition, sequence } of await copy.checkpoints()) {
      const ofProjection = sequences.get(projection) ?? new Map<number, number>();
      sequences.set(projection, ofProjection.set(partition, sequence));
    }
    this.newest = { copy, incarnation, sequences };
    return this.newest;
  }
}
