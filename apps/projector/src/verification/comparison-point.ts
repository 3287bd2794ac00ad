/**
 * Where the log and the read store are compared. Both go on meanwhile, so each account is compared at the sequence that its
 * captured row reflects, and no row may be older than the heads of the log at the start.
 */
import type { Clock, EventLog, ReadCopy, ReadStore } from '@sluice/ports';
import { type PauseBetweenReads, type Projection, projectionId } from '@sluice/projections';
import { beginningOf, type DecodedCommit, readNextCommit } from '@sluice/protocol';
import { ProjectionBehindError } from '../projector-control';

export interface VerificationSources {
  readonly log: EventLog;
  readonly store: ReadStore;
  readonly projections: readonly Projection[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How long the read store may take to reach the head. */
const REACH_TIMEOUT_MS = 30_000;
const REACH_POLL_MS = 20;
const PAGE = { maxCommits: 256, maxBytes: 4 * 1024 * 1024 };

/** Waits until every projection in the copy in force has the partition's commits up to the sequence. */
export async function reach({ store, projections, clock, signal }: VerificationSources, partition: number, sequence: number): Promise<ReadCopy> {
  const giveUpUs = clock.nowUs() + REACH_TIMEOUT_MS * 1_000;
  for (;;) {
    signal.throwIfAborted();
    const copy = await store.current();
    const checkpoints = await copy.checkpoints();
    const sequences = projections.map(projectionId).map((id) => checkpoints.find((one) => one.partition === partition && one.projection === id)?.sequence ?? 0);
    const checkpoint = Math.min(...sequences);
    if (checkpoint >= sequence) return copy;
    if (clock.nowUs() > giveUpUs) {
      throw new ProjectionBehindError(`partition ${partition}: the read store stands at ${checkpoint} and did not reach ${sequence} in time`);
    }
    await new Promise<void>((resolve) => clock.after(REACH_POLL_MS, resolve));
  }
}

/** Waits before torn rows are read again; gives up when the projector does not finish its write in time. */
export function pauseBetweenReads({ clock, signal }: VerificationSources): PauseBetweenReads {
  const giveUpMs = clock.monotonicMs() + REACH_TIMEOUT_MS;
  return async (_reads, [key]) => {
    signal.throwIfAborted();
    if (clock.monotonicMs() > giveUpMs) throw new ProjectionBehindError(`"${key}" is being written, and that did not end in time`);
    await new Promise<void>((resolve) => clock.after(REACH_POLL_MS, resolve));
  };
}

/** The partition's commits 1 … `last`, each checked against its checksum and its predecessor, page by page. */
export async function* commitsUpTo(
  { log, signal }: Pick<VerificationSources, 'log' | 'signal'>,
  partition: number,
  last: number,
): AsyncGenerator<DecodedCommit[]> {
  let position = beginningOf(log.identity, partition);
  while (position.sequence < last) {
    signal.throwIfAborted();
    const records = await log.read(partition, position.sequence + 1, PAGE);
    if (records.length === 0) throw new Error(`partition ${partition}: the log ends at sequence ${position.sequence}, before ${last}`);
    const commits: DecodedCommit[] = [];
    for (const record of records) {
      if (record.sequence > last) break;
      const commit = readNextCommit(position, record.bytes);
      position = { ...position, sequence: commit.sequence, checksum: commit.checksum };
      commits.push(commit);
    }
    yield commits;
    // Whoever shares the thread has a turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
