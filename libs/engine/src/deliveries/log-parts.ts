/** Reads what a partition owes to a target from the partition's log again. */
import type { EventLog } from '@sluice/ports';
import { logEvents, NO_CHECKSUM, readCommit, readOwedDeliveries, verifyChecksum, type DecodedCommit } from '@sluice/protocol';
import type { OwedPart } from './owed-window';

const PAGE = { maxCommits: 64, maxBytes: 1 << 20 };

export interface ReadCommits {
  readonly commits: readonly DecodedCommit[];
  /** Sequence of the last one; undefined: the log has nothing there. */
  readonly last: number | undefined;
}

export async function readCommits(log: EventLog, partition: number, fromSequence: number): Promise<ReadCommits> {
  const records = await log.read(partition, fromSequence, PAGE);
  const commits = records.map(({ sequence, bytes }) => {
    verifyChecksum(partition, sequence, bytes);
    return readCommit(bytes);
  });
  return { commits, last: records.at(-1)?.sequence };
}

/** What the commit owes to the target, in order. */
export function partsOf(commit: DecodedCommit, target: number): OwedPart[] {
  const { events, sequence } = commit;
  const checksum = Buffer.from(commit.checksum);
  const parts: OwedPart[] = [];
  for (const event of events) {
    const bytes = logEvents.readOnly('DeliveriesOwed', event, commit);
    if (bytes === undefined || readOwedDeliveries(bytes).target !== target) continue;
    // A copy: a view would keep the whole page of the log in memory.
    parts.push({ ...readOwedDeliveries(Buffer.from(bytes)), sequence, checksum });
  }
  return parts;
}

export function checksumOf(commit: Uint8Array): Uint8Array {
  return commit.subarray(commit.length - NO_CHECKSUM.length);
}
