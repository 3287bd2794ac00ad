/**
 * Finds out what became of a commit whose append failed or was not answered, so that the memory that reflects it can be kept.
 *
 *   the log has at the commit's sequence      conclusion
 *   these bytes, nothing behind               recorded: the append was carried out, its answer was lost
 *   these bytes, and more behind              overtaken: another owner has read them and goes on
 *   other bytes                               overtaken
 *   nothing, behind the predecessor           absent: the same bytes are appended again
 *   nothing, behind something else            unfounded: the log was changed under the memory
 *
 * Appending the same bytes again is safe: of all appends of a sequence the log takes one, and both copies are the same commit. A request of
 * the first append that arrives late finds its sequence taken. Two owners never write the same bytes: each commit carries its owner's
 * epoch, and an epoch belongs to one ownership commit.
 */
import { type Clock, type CommitRecord, type CommitToAppend, type EventLog, MissingCommitError } from '@sluice/ports';
import { CHECKSUM_BYTES, readCommit } from '@sluice/protocol';

const FIRST_PAUSE_MS = 50;
/** A partition serves so soon after the log answers again. An attempt in vain costs one request. */
const LAST_PAUSE_MS = 500;
/** The predecessor, the commit, and one that would stand behind it. */
const PAGE = { maxCommits: 3, maxBytes: Number.MAX_SAFE_INTEGER };

/** `unfounded`: the memory does not stand on the log any more. */
export type CommitFate = 'recorded' | 'overtaken' | 'unfounded';

export interface CommitInDoubtDependencies {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly commit: CommitToAppend;
  /** False: the commit was given up. Nothing is appended from then on. */
  readonly isWanted: () => boolean;
}

export class CommitInDoubt {
  constructor(private readonly dependencies: CommitInDoubtDependencies) {}

  /** Resolves when the log shows the commit's fate, however long the log is away; undefined: the commit was given up meanwhile. Never rejects. */
  async fate(): Promise<CommitFate | undefined> {
    const { clock, isWanted } = this.dependencies;
    for (let pauseMs = FIRST_PAUSE_MS; isWanted(); pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
      const fate = await this.look();
      if (!isWanted()) return undefined;
      if (fate === 'absent') {
        if (await this.isAppended()) return 'recorded';
      } else if (fate !== undefined) return fate;
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    }
    return undefined;
  }

  /** What the log shows; undefined: it cannot be read now. */
  private async look(): Promise<CommitFate | 'absent' | undefined> {
    const { log, commit } = this.dependencies;
    try {
      return this.conclude(await log.read(commit.partition, commit.sequence - 1, PAGE));
    } catch (error) {
      return error instanceof MissingCommitError ? 'unfounded' : undefined;
    }
  }

  /** @param found the commits of the log from the predecessor on. */
  private conclude([predecessor, found, next]: readonly CommitRecord[]): CommitFate | 'absent' {
    const { commit } = this.dependencies;
    if (predecessor?.sequence !== commit.sequence - 1) return 'unfounded';
    if (found !== undefined) return next === undefined && isSame(found.bytes, commit.bytes) ? 'recorded' : 'overtaken';
    return isSame(predecessor.bytes.subarray(-CHECKSUM_BYTES), readCommit(commit.bytes).previousChecksum) ? 'absent' : 'unfounded';
  }

  /** False: the append failed, or another commit was faster. The next look tells. */
  private isAppended(): Promise<boolean> {
    const { log, commit } = this.dependencies;
    return log.append(commit).then(
      () => true,
      () => false,
    );
  }
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
