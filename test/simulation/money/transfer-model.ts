/**
 * What the log says about transfers and expiring holds, read by code that shares nothing with the engine but the generated messages: each leg is found among
 * the postings of its account, and compared with what the events of transfers say.
 */
import { accountpb } from '@sluice/protocol/account';
import type { DecodedLog } from '../world/decoded-log';

export interface ReadTransfer {
  readonly fromAccountId: string;
  readonly toAccountId: string;
  /** Of the target, where it is no account: it takes the amount and has no entry of it. */
  readonly toCapability: string;
  readonly requestId: string;
  readonly amountMinor: bigint;
  /** Of the debited account, after the debit. */
  readonly balanceAfterMinor: bigint;
  debits: number;
  refunds: number;
  state: 'PENDING' | 'SETTLED' | 'REFUNDED';
}

export interface TransferReading {
  readonly transfers: ReadonlyMap<string, ReadTransfer>;
  readonly pending: number;
  readonly contradictions: readonly string[];
  /** Holds that are open although their time was over a while ago. */
  openExpiringHolds(nowUs: number): readonly string[];
}

/** How late an expiry may be while nothing disturbs it. */
const EXPIRY_GRACE_US = 2_000_000;
const { PostingType } = accountpb;

export function transferKey(fromAccountId: string, requestId: string): string {
  return `${fromAccountId} ${requestId}`;
}

class Reader {
  readonly transfers = new Map<string, ReadTransfer>();
  readonly contradictions: string[] = [];
  /** Account and hold to when it expires. */
  readonly holds = new Map<string, { left: bigint; readonly expiresAtUs: number }>();
  /** Counts of legs whose transfer was not met yet: partitions are read one after the other. */
  private readonly credits = new Map<string, { readonly fromAccountId: string; count: number }>();
  /** Accounts of which other capabilities took or held funds: what they pay out of them is no transfer. */
  private readonly funds = new Set<string>();

  postings({ accounts }: accountpb.PostingsRecorded, committedAtUs: number): void {
    for (const group of accounts) {
      const refused = new Set(group.rejectedPositions);
      for (const [at, posting] of (group.requests?.postings ?? []).entries()) {
        if (!refused.has(at)) this.posting(posting, group.balancesAfterMinor[at] ?? 0n, committedAtUs);
      }
    }
  }

  private posting(posting: accountpb.Posting, balanceAfterMinor: bigint, committedAtUs: number): void {
    const { accountId, toAccountId, fromAccountId, requestId, amountMinor, type, funds } = posting;
    if (funds) this.funds.add(accountId);
    else if (fromAccountId !== '') {
      const key = `${transferKey(fromAccountId, requestId)} to ${accountId} of ${amountMinor}`;
      const credit = this.credits.get(key) ?? { fromAccountId, count: 0 };
      credit.count += 1;
      this.credits.set(key, credit);
    } else if (toAccountId !== '' && type === PostingType.POSTING_TYPE_DEBIT) this.debit(posting, balanceAfterMinor);
    else if (toAccountId !== '') this.refund(posting);
    else this.onHold(posting, committedAtUs);
  }

  private debit({ accountId: fromAccountId, toAccountId, toCapability, requestId, amountMinor }: accountpb.Posting, balanceAfterMinor: bigint): void {
    const key = transferKey(fromAccountId, requestId);
    const known = this.transfers.get(key);
    if (known !== undefined) known.debits += 1;
    else
      this.transfers.set(key, { fromAccountId, toAccountId, toCapability, requestId, amountMinor, balanceAfterMinor, debits: 1, refunds: 0, state: 'PENDING' });
  }

  private refund({ accountId, requestId, amountMinor }: accountpb.Posting): void {
    const transfer = this.transfers.get(transferKey(accountId, requestId));
    if (transfer === undefined || transfer.amountMinor !== amountMinor) this.contradictions.push(`a refund of ${accountId} ${requestId} without its debit`);
    else transfer.refunds += 1;
  }

  private onHold({ accountId, type, requestId, holdId, amountMinor, final, expiresAfterMs, holdExpired }: accountpb.Posting, committedAtUs: number): void {
    if (type === PostingType.POSTING_TYPE_HOLD) {
      if (expiresAfterMs > 0n)
        this.holds.set(transferKey(accountId, requestId), { left: amountMinor, expiresAtUs: committedAtUs + Number(expiresAfterMs) * 1_000 });
      return;
    }
    const hold = this.holds.get(transferKey(accountId, holdId));
    if (hold === undefined) {
      if (holdExpired) this.contradictions.push(`hold ${holdId} of ${accountId} expires and is not there`);
      return;
    }
    if (holdExpired && committedAtUs < hold.expiresAtUs)
      this.contradictions.push(`hold ${holdId} of ${accountId} expires ${hold.expiresAtUs - committedAtUs} µs early`);
    if (amountMinor > hold.left) this.contradictions.push(`hold ${holdId} of ${accountId} gives ${amountMinor} and has ${hold.left}`);
    hold.left -= final ? hold.left : amountMinor;
  }

  recorded({ accounts }: accountpb.TransfersRecorded): void {
    for (const { accountId, transfers } of accounts) {
      for (const { requestId, pending } of transfers) {
        const transfer = this.transfers.get(transferKey(accountId, requestId));
        if (transfer === undefined) this.contradictions.push(`transfer ${accountId} ${requestId} is recorded without its debit`);
        else if (!pending) transfer.state = 'SETTLED';
      }
    }
  }

  settled({ accounts }: accountpb.TransfersSettled): void {
    for (const { accountId, transfers } of accounts) {
      for (const { requestId, rejection } of transfers) {
        const transfer = this.transfers.get(transferKey(accountId, requestId));
        if (transfer?.state !== 'PENDING') this.contradictions.push(`transfer ${accountId} ${requestId} has a verdict, and is ${transfer?.state}`);
        else transfer.state = rejection === accountpb.Rejection.REJECTION_UNSPECIFIED ? 'SETTLED' : 'REFUNDED';
      }
    }
  }

  /** Every debit ended once, or is under way. */
  contradictionsOfLegs(): string[] {
    const contradictions: string[] = [];
    const owed = new Set<string>();
    for (const [key, transfer] of this.transfers) {
      const creditKey = `${key} to ${transfer.toAccountId} of ${transfer.amountMinor}`;
      const credits = this.credits.get(creditKey)?.count ?? 0;
      owed.add(creditKey);
      const { debits, refunds, state } = transfer;
      const settledCredits = transfer.toCapability === '' ? 1 : 0;
      const wanted = { PENDING: credits <= 1 && refunds === 0, SETTLED: credits === settledCredits && refunds === 0, REFUNDED: credits === 0 && refunds === 1 }[
        state
      ];
      if (debits !== 1 || !wanted) contradictions.push(`transfer ${key} is ${state} with ${debits} debits, ${credits} credits and ${refunds} refunds`);
    }
    for (const [key, { fromAccountId }] of this.credits)
      if (!owed.has(key) && !this.funds.has(fromAccountId)) contradictions.push(`a credit without its debit: ${key}`);
    return contradictions;
  }
}

/** @returns a function that reads what the log says by now. */
export function transferReader(log: DecodedLog): () => TransferReading {
  const reader = new Reader();
  const readOn = log.follow(({ committedAtUs, events }) => {
    for (const { type, payload } of events) {
      if (type === 'account.PostingsRecorded') reader.postings(accountpb.PostingsRecorded.decode(payload), committedAtUs);
      else if (type === 'account.TransfersRecorded') reader.recorded(accountpb.TransfersRecorded.decode(payload));
      else if (type === 'account.TransfersSettled') reader.settled(accountpb.TransfersSettled.decode(payload));
    }
  });
  return () => {
    readOn();
    const { transfers, contradictions, holds } = reader;
    return {
      transfers,
      contradictions: [...contradictions, ...reader.contradictionsOfLegs()],
      pending: [...transfers.values()].filter(({ state }) => state === 'PENDING').length,
      openExpiringHolds: (nowUs) => [...holds].flatMap(([key, { left, expiresAtUs }]) => (left > 0n && expiresAtUs + EXPIRY_GRACE_US < nowUs ? [key] : [])),
    };
  };
}
