/** Proves a business date of a branch from the log alone, partition by partition: only one partition's accounts of the branch are in memory. */
import type { CalendarDate } from '@sluice/domain/day';
import { addProofs, type DayProof, DayProofFold, NOTHING_PROVEN } from '@sluice/projections/account';
import { commitsUpTo, type VerificationSources } from './comparison-point';

/** The proof, or why there is none: the branch has no dates in any partition; the date has not ended for all of its accounts. */
export type DayVerdict = ({ readonly kind: 'proof' } & DayProof) | { readonly kind: 'BRANCH_NOT_FOUND' | 'DATE_NOT_CLOSED' };

export async function verifyDay(sources: Pick<VerificationSources, 'log' | 'signal'>, branchId: string, date: CalendarDate): Promise<DayVerdict> {
  let proof = NOTHING_PROVEN;
  let isDated = false;
  let isClosed = true;
  for (const [partition, head] of (await sources.log.headSequences()).entries()) {
    const fold = new DayProofFold(branchId, date);
    for await (const commits of commitsUpTo(sources, partition, head)) for (const commit of commits) fold.take(commit);
    isDated ||= fold.isDated;
    isClosed &&= fold.isClosed;
    proof = addProofs(proof, fold.proof());
  }
  if (!isDated) return { kind: 'BRANCH_NOT_FOUND' };
  return isClosed ? { kind: 'proof', ...proof } : { kind: 'DATE_NOT_CLOSED' };
}
