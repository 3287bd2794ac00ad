/**
 * Reads a partition's log from its first commit on and checks that every commit is what was written and continues its
 * predecessor. What was cut off at the end leaves no trace in the log itself; `sluice verify` sees it in the read store.
 */
import type { EventLog } from '@sluice/ports';
import { beginningOf, CorruptCommitError, NO_CHECKSUM, readNextCommit, UnknownCommitFormatError } from '@sluice/protocol';

export interface ChainVerdict {
  readonly partition: number;
  readonly commits: number;
  readonly bytes: number;
  /** Of the newest commit that is whole, hex. */
  readonly checksum: string;
  /** The first commit that is not what was written; undefined: all of them are. */
  readonly corrupt: CorruptCommitError | undefined;
}

const PAGE = { maxCommits: 1_000, maxBytes: 8 * 1024 * 1024 };

/** @param progress called with the number of commits checked so far. */
export async function verifyChain(log: EventLog, partition: number, progress: (commits: number) => void = () => undefined): Promise<ChainVerdict> {
  let position = beginningOf(log.identity, partition);
  let bytes = 0;
  const verdict = (corrupt?: CorruptCommitError): ChainVerdict => ({
    partition,
    commits: position.sequence,
    bytes,
    checksum: Buffer.from(position.checksum ?? NO_CHECKSUM).toString('hex'),
    corrupt,
  });
  for (;;) {
    const page = await log.read(partition, position.sequence + 1, PAGE);
    if (page.length === 0) return verdict();
    for (const record of page) {
      const expected = position.sequence + 1;
      try {
        if (record.sequence !== expected) throw new CorruptCommitError(partition, expected, 'the commit is missing');
        const { sequence, checksum } = readNextCommit(position, record.bytes);
        position = { ...position, sequence, checksum };
      } catch (error) {
        if (error instanceof CorruptCommitError) return verdict(error);
        throw error;
      }
      bytes += record.bytes.length;
    }
    progress(position.sequence);
  }
}

/** What somebody with a damaged log can do. */
export function repairAdvice(corrupt: CorruptCommitError): string {
  if (corrupt instanceof UnknownCommitFormatError) return 'start a version of Sluice that knows it';
  return `restore the log from a backup, or give up this commit and all later ones of the partition: sluice log repair --drop-from ${corrupt.partition}:${corrupt.sequence}`;
}
