/**
 * What the log says about accounts, read by code that shares nothing with the engine but the generated messages: every recorded posting in
 * order, with running balances computed anew.
 */
import { accountpb } from '@sluice/protocol/account';
import type { DecodedLog } from '../world/decoded-log';

export interface RecordedPosting {
  readonly partition: number;
  readonly sequence: number;
  readonly accountId: string;
  readonly requestId: string;
  readonly accepted: boolean;
  readonly balanceAfterMinor: bigint;
  readonly posting: accountpb.Posting;
}

export interface LedgerReading {
  /** By account and request id. */
  readonly postings: ReadonlyMap<string, readonly RecordedPosting[]>;
  /** Balances at the end of the log. */
  readonly balances: ReadonlyMap<string, bigint>;
  /** What the log contradicts itself in. */
  readonly contradictions: readonly string[];
}

export function postingKey(accountId: string, requestId: string): string {
  return `${accountId} ${requestId}`;
}

export function readLedger(log: DecodedLog): LedgerReading {
  const postings = new Map<string, RecordedPosting[]>();
  const balances = new Map<string, bigint>();
  const holds = new Map<string, Map<string, bigint>>();
  const contradictions: string[] = [];
  for (const [partition, commits] of log.partitions.entries()) {
    let committedAtUs = 0;
    for (const commit of commits) {
      const { sequence } = commit;
      if (commit.committedAtUs < committedAtUs) contradictions.push(`${partition}/${sequence} was committed before its predecessor`);
      committedAtUs = commit.committedAtUs;
      for (const { type, payload } of commit.events) {
        if (type !== 'account.PostingsRecorded') continue;
        for (const group of accountpb.PostingsRecorded.decode(payload).accounts) {
          const place = `${partition}/${sequence} ${group.accountId}`;
          let balance = balances.get(group.accountId) ?? 0n;
          const open = holds.get(group.accountId) ?? new Map<string, bigint>();
          holds.set(group.accountId, open);
          if (group.balanceBeforeMinor !== balance) contradictions.push(`${place}: balance before is ${group.balanceBeforeMinor}, it was ${balance}`);
          const after = group.balancesAfterMinor;
          const refused = new Set(group.rejectedPositions);
          for (const [at, posting] of (group.requests?.postings ?? []).entries()) {
            const accepted = !refused.has(at);
            if (accepted) balance += effect(posting, open, (problem) => contradictions.push(`${place} ${posting.requestId}: ${problem}`));
            if (after[at] !== balance) contradictions.push(`${place} ${posting.requestId}: balance after is ${after[at]}, computed ${balance}`);
            const key = postingKey(group.accountId, posting.requestId) + engineMark(posting);
            const record = { partition, sequence, accountId: group.accountId, requestId: posting.requestId, accepted, balanceAfterMinor: balance, posting };
            postings.set(key, [...(postings.get(key) ?? []), record]);
          }
          if (group.balanceAfterMinor !== balance) contradictions.push(`${place}: balance after is ${group.balanceAfterMinor}, computed ${balance}`);
          balances.set(group.accountId, balance);
        }
      }
    }
  }
  return { postings, balances, contradictions };
}

/** Legs that the engine makes carry the id of their transfer, hold or funds, and interest that of its date, which is none of their own account. */
function engineMark({ type, fromAccountId, toAccountId, holdExpired, funds, interest }: accountpb.Posting): string {
  if (funds) return ` (funds: ${accountpb.PostingType[type]})`;
  if (interest) return ' (interest)';
  if (holdExpired) return ' (expired)';
  if (fromAccountId !== '') return ` (from ${fromAccountId})`;
  return toAccountId !== '' && type === accountpb.PostingType.POSTING_TYPE_CREDIT ? ' (refund)' : '';
}

function effect(posting: accountpb.Posting, holds: Map<string, bigint>, contradict: (problem: string) => void): bigint {
  const { PostingType } = accountpb;
  const left = holds.get(posting.holdId) ?? 0n;
  switch (posting.type) {
    case PostingType.POSTING_TYPE_CREDIT:
      return posting.amountMinor;
    case PostingType.POSTING_TYPE_DEBIT:
      return -posting.amountMinor;
    case PostingType.POSTING_TYPE_HOLD:
      holds.set(posting.requestId, posting.amountMinor);
      return 0n;
    case PostingType.POSTING_TYPE_CAPTURE:
    case PostingType.POSTING_TYPE_RELEASE: {
      if (left < posting.amountMinor) contradict(`takes ${posting.amountMinor} of a hold that has ${left}`);
      const capture = posting.type === PostingType.POSTING_TYPE_CAPTURE;
      const rest = capture && posting.final ? 0n : left - posting.amountMinor;
      if (rest === 0n) holds.delete(posting.holdId);
      else holds.set(posting.holdId, rest);
      return capture ? -posting.amountMinor : 0n;
    }
    default:
      contradict('has no known type');
      return 0n;
  }
}
