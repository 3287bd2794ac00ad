/** What the entries of accounts say about the funds that other capabilities took and paid. */
import { accountpb } from '@sluice/protocol/account';
import type { DecodedLog } from '../world/decoded-log';

const { PostingType } = accountpb;

export interface AccountedFunds {
  takenMinor: bigint;
  returnedMinor: bigint;
  /** By account, each amount that was paid. */
  readonly payments: Map<string, bigint[]>;
}

/** @returns by the aggregate that took the funds. @param metadata names the capability in the entries: "contest". */
export function readAccountedFunds(log: DecodedLog, metadata: string): (aggregate: string) => AccountedFunds {
  const accounted = new Map<string, AccountedFunds>();
  const of = (aggregate: string): AccountedFunds => {
    const funds = accounted.get(aggregate) ?? { takenMinor: 0n, returnedMinor: 0n, payments: new Map<string, bigint[]>() };
    accounted.set(aggregate, funds);
    return funds;
  };
  for (const posting of log.partitions.flat().flatMap(acceptedPostings)) {
    const { accountId, type, amountMinor, counterparty, funds: isOfFunds, fromAccountId } = posting;
    if (posting.metadata[metadata] === undefined || counterparty === '') continue;
    const funds = of(counterparty);
    if (isOfFunds && type === PostingType.POSTING_TYPE_DEBIT) funds.takenMinor += amountMinor;
    else if (isOfFunds) funds.returnedMinor += amountMinor;
    else if (fromAccountId !== '') funds.payments.set(accountId, [...(funds.payments.get(accountId) ?? []), amountMinor]);
  }
  return of;
}

/** Of a commit, without those that were refused. */
export function acceptedPostings({ events }: DecodedLog['partitions'][number][number]): accountpb.Posting[] {
  return events
    .filter(({ type }) => type === 'account.PostingsRecorded')
    .flatMap(({ payload }) => accountpb.PostingsRecorded.decode(payload).accounts)
    .flatMap(({ requests, rejectedPositions }) => requests?.postings.filter((_posting, at) => !rejectedPositions.includes(at)) ?? []);
}
