/** Folds one aggregate out of the log of its partition and compares the result with the read store. */
import { partitionOfKey, partitionOfWholeKey } from '@sluice/domain';
import { type AggregateName, type Projection, projectionId } from '@sluice/projections';
import { type AggregateReport, UnknownAggregateError } from '../projector-control';
import { commitsUpTo, pauseBetweenReads, reach, type VerificationSources } from './comparison-point';

/** Throws UnknownAggregateError (also for a kind that the projection does not have) or ProjectionBehindError. */
export async function verifyAggregate(
  sources: VerificationSources,
  projection: Projection,
  name: AggregateName,
  partition = partitionOf(sources, projection, name),
): Promise<AggregateReport> {
  const head = (await sources.log.headSequences())[partition] ?? 0;
  const copy = await reach(sources, partition, head);
  const { signal } = sources;
  const scope = { copy, projection: projectionId(projection), partition, head, pause: () => pauseBetweenReads(sources), signal };
  const verification = await projection.verification.aggregate(scope, name);
  for await (const commits of commitsUpTo(sources, partition, verification.last)) for (const commit of commits) verification.take(commit);
  const comparison = await verification.compare();
  if (comparison === undefined) throw new UnknownAggregateError(name.aggregate, name.key);
  return { ...comparison, equal: comparison.differences.length === 0, sequence: verification.last };
}

function partitionOf({ log }: VerificationSources, { verification }: Projection, { aggregate, key }: AggregateName): number {
  const kind = verification.kinds.find((one) => one.aggregate === aggregate);
  if (kind === undefined) throw new UnknownAggregateError(aggregate, key);
  const partitionOfBytes = kind.wholeKey === true ? partitionOfWholeKey : partitionOfKey;
  return partitionOfBytes(Buffer.from(kind.partitionKey(key), 'utf8'), log.identity.partitions);
}
