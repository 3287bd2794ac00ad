/**
 * Funds that other capabilities take out of accounts, pay to others and render account of, by deliveries (protos/sluice/log/v1/funds.proto).
 *
 *   TakeFunds ──▶ DEBIT, in transit ──▶ PayFunds: CREDITs of others ──▶ SettleFunds: in transit no more; a CREDIT of what is left
 *
 * What is in transit keeps the account from being closed, and its room free: what comes back is never refused.
 */
import { beginTransit, decideRefund, decideTransferDebit, type PostingType } from '@sluice/domain/account';
import type { InternalCommand, InternalVerdict, Turn } from '@sluice/engine';
import { logpb } from '@sluice/protocol';
import { accountpb, engineMadePosting } from '@sluice/protocol/account';
import { TRANSFER_LEG, type AccountTransfers, type PartitionAccounts } from './account-transfers';

const FUNDS_METHODS = ['TakeFunds', 'PayFunds', 'SettleFunds'] as const;
type FundsMethod = (typeof FUNDS_METHODS)[number];

const NO_PAYLOAD = new Uint8Array(0);
const ACCEPTED: InternalVerdict = { kind: 'accepted', payload: NO_PAYLOAD };

export function isFundsMethod(method: string): method is FundsMethod {
  return (FUNDS_METHODS as readonly string[]).includes(method);
}

export class AccountFunds {
  constructor(
    private readonly accounts: PartitionAccounts,
    private readonly transfers: AccountTransfers,
  ) {}

  /** Decides the run, up to the first command that cannot be read. */
  decide(turn: Turn, method: FundsMethod, run: readonly InternalCommand[]): InternalVerdict[] {
    if (method === 'PayFunds') return this.pay(turn, run);
    const verdicts: InternalVerdict[] = [];
    for (const command of run) {
      const verdict = method === 'TakeFunds' ? this.take(turn, command) : this.settle(turn, command);
      verdicts.push(verdict);
      if (verdict.kind === 'undecidable') break;
    }
    return verdicts;
  }

  private take(turn: Turn, { payload }: InternalCommand): InternalVerdict {
    const asked = read(logpb.TakeFunds, payload);
    if (asked === undefined) return unreadable('TakeFunds');
    const { accounts, transfers } = this;
    const debit = engineMadePosting(postingOf('DEBIT', asked));
    const ordinal = this.ordinalOf(asked.accountId);
    const account = ordinal === -1 ? undefined : accounts.account(ordinal);
    // The capability has no key to sign with.
    const decision = decideTransferDebit(account, accounts.viewAs('DEBIT', debit, 0), account?.signingKeyId === '', true);
    if (!decision.accepted) {
      debit.release();
      return { kind: 'rejected', reason: decision.rejection, payload: NO_PAYLOAD };
    }
    accounts.separateSums(debit, 0, turn);
    const group = accounts.enter(ordinal, debit, 0, decision, turn);
    group.markTaken(asked.amountMinor);
    beginTransit(group.account, asked.amountMinor);
    accounts.separateSums(debit, 0, turn);
    transfers.keepUntilWritten(debit);
    return ACCEPTED;
  }

  /** Each is the credit of a transfer. */
  private pay(turn: Turn, run: readonly InternalCommand[]): InternalVerdict[] {
    const legs: InternalCommand[] = [];
    for (const command of run) {
      const asked = read(logpb.PayFunds, command.payload);
      if (asked === undefined) break;
      const posting = { ...postingOf('CREDIT', asked), fromAccountId: asked.fromAccountId, funds: false };
      legs.push({ ...command, method: TRANSFER_LEG, payload: accountpb.TransferLeg.encode({ posting }).finish() });
    }
    const verdicts = this.transfers.decideCredits(turn, legs);
    return legs.length < run.length ? [...verdicts, unreadable('PayFunds')] : verdicts;
  }

  private settle(turn: Turn, { payload }: InternalCommand): InternalVerdict {
    const asked = read(logpb.SettleFunds, payload);
    if (asked === undefined) return unreadable('SettleFunds');
    const { accounts, transfers } = this;
    const ordinal = this.ordinalOf(asked.accountId);
    if (ordinal === -1) throw new Error(`funds of account ${asked.accountId} are settled, which was never opened`);
    transfers.endFunds(ordinal, asked.amountMinor);
    if (asked.returnedMinor === 0n) return ACCEPTED;
    const refund = engineMadePosting({ ...postingOf('CREDIT', asked), amountMinor: asked.returnedMinor });
    accounts.separateSums(refund, 0, turn);
    accounts.enter(ordinal, refund, 0, decideRefund(accounts.account(ordinal), asked.returnedMinor), turn);
    accounts.separateSums(refund, 0, turn);
    transfers.keepUntilWritten(refund);
    return ACCEPTED;
  }

  private ordinalOf(accountId: string): number {
    const id = Buffer.from(accountId, 'utf8');
    return this.accounts.ordinalOf(id, 0, id.length);
  }
}

/** What the messages of funds have in common. */
interface FundsMessage {
  readonly requestId: string;
  readonly accountId: string;
  readonly amountMinor: bigint;
  readonly unit: string;
  readonly counterparty: string;
  readonly metadata: Record<string, string>;
}

function postingOf(type: PostingType & ('CREDIT' | 'DEBIT'), asked: FundsMessage): accountpb.Posting {
  const { requestId, accountId, amountMinor, unit, counterparty, metadata } = asked;
  const number = type === 'CREDIT' ? accountpb.PostingType.POSTING_TYPE_CREDIT : accountpb.PostingType.POSTING_TYPE_DEBIT;
  return accountpb.Posting.fromPartial({ requestId, accountId, amountMinor, unit, counterparty, metadata, type: number, funds: true });
}

function read<Message>(codec: { decode(bytes: Uint8Array): Message }, payload: Uint8Array): Message | undefined {
  try {
    return codec.decode(payload);
  } catch {
    return undefined;
  }
}

function unreadable(method: FundsMethod): InternalVerdict {
  return { kind: 'undecidable', reason: `the message of ${method} cannot be read` };
}
