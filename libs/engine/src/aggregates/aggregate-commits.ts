/** Commits in which something of an aggregate was decided, the newest first, without looking at any other commit. */
import { decidedTogetherIn, logEvents, type DecidedTogether, type DecodedCommit, type EventRecord, type logpb } from '@sluice/protocol';
import type { AggregateName } from './recorded-requests';

/**
 * Follows the pointers that each decided request has to the commit before.
 *
 * @param newest sequence of the aggregate's newest commit; 0: it has none.
 * @param read one commit of the aggregate's partition.
 *
 * Throws if a commit does not hold the aggregate: `newest` is not of this aggregate.
 */
export async function* aggregateCommits(
  name: AggregateName,
  newest: number,
  read: (sequence: number) => Promise<DecodedCommit>,
): AsyncGenerator<DecodedCommit> {
  for (let sequence = newest; sequence !== 0; ) {
    const commit = await read(sequence);
    const previous = previousSequenceIn(commit, name);
    if (previous === undefined) throw new Error(`sequence ${sequence} of partition ${commit.partition} holds nothing of ${name.aggregate} ${name.key}`);
    yield commit;
    sequence = previous;
  }
}

function previousSequenceIn(commit: DecodedCommit, { capability, aggregate, key }: AggregateName): number | undefined {
  for (const event of commit.events) {
    const decided = decidedIn(event, commit);
    if (decided?.key === key && decided.aggregate === aggregate && decided.capability === capability) return Number(decided.previousSequence);
  }
  return undefined;
}

function decidedIn(event: EventRecord, commit: DecodedCommit): DecidedTogether | logpb.RequestDecided | undefined {
  const together = logEvents.readOnly('RequestsDecided', event, commit);
  return together === undefined ? logEvents.readOnly('RequestDecided', event, commit) : decidedTogetherIn(together);
}
