/** The verdict on a request in a commit, as a repeat finds it. */
import { WantedRequests } from '@sluice/engine';
import type { DecodedCommit } from '@sluice/protocol';
import { recordedVerdicts, type RecordedVerdict } from '../account/recorded-verdicts';

/** Undefined: the commit does not hold it. Throws UnknownEventError. */
export function verdictIn(commit: DecodedCommit, accountId: string, requestId: string): RecordedVerdict | undefined {
  const wanted = new WantedRequests<RecordedVerdict>();
  let found: RecordedVerdict | undefined;
  wanted.want(accountId, requestId, { resolve: (verdict) => (found = verdict), reject: (error) => expect(error).toBeUndefined() });
  for (const _ of recordedVerdicts.search(commit, wanted));
  for (const _ of wanted.settle());
  return found;
}
