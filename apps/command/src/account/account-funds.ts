/**
 * Funds that other capabilities hold on accounts, take out of them, pay to others and render account of, by deliveries (protos/sluice/log/v1/funds.proto).
 *
 *   TakeFunds ──▶ DEBIT, in transit ──────────────────────┬──▶ PayFunds: CREDITs of others ──▶ SettleFunds: in transit no more; a CREDIT of what is left
 *   HoldFunds ──▶ HOLD ──CaptureFunds──▶ CAPTURE, in transit ┘
 *                   └────ReleaseFunds──▶ RELEASE
 *
 * What is held or in transit keeps the account from being closed. What is in transit keeps its room free: what comes back is never refused.
 */
import {
  beginTransit,
  decidePosting,
  decideRefund,
  decideTransferDebit,
  decideWholeCapture,
  decideWholeRelease,
  type AcceptedPosting,
  type Account,
  type PostingDecision,
} from '@sluice/domain/account';
import type { InternalCommand, InternalVerdict, Turn } from '@sluice/engine';
import { logpb } from '@sluice/protocol';
import { accountpb, engineMadePosting, type PostingBatch } from '@sluice/protocol/account';
import { TRANSFER_LEG, type AccountTransfers, type PartitionAccounts } from './account-transfers';
import { engineMadeId } from './engine-made-id';

const FUNDS_METHODS = ['TakeFunds', 'HoldFunds', 'CaptureFunds', 'ReleaseFunds', 'PayFunds', 'SettleFunds'] as const;
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
      const verdict = this.decideOne(turn, method, command);
      verdicts.push(verdict);
      if (verdict.kind === 'undecidable') break;
    }
    return verdicts;
  }

  private decideOne(turn: Turn, method: Exclude<FundsMethod, 'PayFunds'>, { payload }: InternalCommand): InternalVerdict {
    if (method === 'SettleFunds') return this.settle(turn, payload);
    const asked = read(MESSAGES[method], payload);
    if (asked === undefined) return unreadable(method);
    const posting = engineMadePosting(postingFor(method, asked));
    const ordinal = this.ordinalOf(asked.accountId);
    const decision = this.decisionOn(method, posting, ordinal === -1 ? undefined : this.accounts.account(ordinal));
    if (!decision.accepted) {
      posting.release();
      return { kind: 'rejected', reason: decision.rejection, payload: NO_PAYLOAD };
    }
    this.enter(turn, ordinal, posting, decision, method === 'TakeFunds' || method === 'CaptureFunds');
    return ACCEPTED;
  }

  /** The capability has no key to sign with. */
  private decisionOn(method: DecidedMethod, posting: PostingBatch, account: Account | undefined): PostingDecision {
    switch (method) {
      case 'TakeFunds':
        return decideTransferDebit(account, this.accounts.viewAs('DEBIT', posting, 0), account?.signingKeyId === '', true);
      case 'HoldFunds':
        return decidePosting(account, this.accounts.viewAs('HOLD', posting, 0), account?.signingKeyId === '');
      case 'CaptureFunds':
        return existing(method, posting, account && decideWholeCapture(account, posting.holdId(0)));
      case 'ReleaseFunds':
        return existing(method, posting, account && decideWholeRelease(account, posting.holdId(0)));
      default:
        return method satisfies never;
    }
  }

  /** @param taken the amount is in transit from now on. */
  private enter(turn: Turn, ordinal: number, posting: PostingBatch, accepted: AcceptedPosting, taken: boolean): void {
    const { accounts, transfers } = this;
    accounts.separateSums(posting, 0, turn);
    const group = accounts.enter(ordinal, posting, 0, accepted, turn);
    if (taken) {
      const amountMinor = posting.amounts[0] as bigint;
      group.markTaken(amountMinor);
      beginTransit(group.account, amountMinor);
    }
    accounts.separateSums(posting, 0, turn);
    transfers.keepUntilWritten(posting);
  }

  /** Each is the credit of a transfer. */
  private pay(turn: Turn, run: readonly InternalCommand[]): InternalVerdict[] {
    const legs: InternalCommand[] = [];
    for (const command of run) {
      const asked = read(logpb.PayFunds, command.payload);
      if (asked === undefined) break;
      const posting = { ...postingOf('CREDIT', asked), fromAccountId: asked.fromAccountId, funds: false };
      legs.push({ ...command, method: TRANSFER_LEG, payload: accountpb.TransferLeg.encode({ posting, businessDate: undefined }).finish() });
    }
    const verdicts = this.transfers.decideCredits(turn, legs, true);
    return legs.length < run.length ? [...verdicts, unreadable('PayFunds')] : verdicts;
  }

  private settle(turn: Turn, payload: Uint8Array): InternalVerdict {
    const asked = read(logpb.SettleFunds, payload);
    if (asked === undefined) return unreadable('SettleFunds');
    const ordinal = this.ordinalOf(asked.accountId);
    if (ordinal === -1) throw new Error(`funds of account ${asked.accountId} are settled, which was never opened`);
    this.transfers.endFunds(ordinal, asked.amountMinor);
    if (asked.returnedMinor === 0n) return ACCEPTED;
    const refund = engineMadePosting({ ...postingOf('CREDIT', asked), amountMinor: asked.returnedMinor });
    this.enter(turn, ordinal, refund, decideRefund(this.accounts.account(ordinal), asked.returnedMinor), false);
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

/** Methods that take, hold or free funds of an account. */
type DecidedMethod = 'TakeFunds' | 'HoldFunds' | 'CaptureFunds' | 'ReleaseFunds';

const MESSAGES: Readonly<Record<DecidedMethod, { decode(bytes: Uint8Array): FundsMessage }>> = {
  TakeFunds: logpb.TakeFunds,
  HoldFunds: logpb.HoldFunds,
  CaptureFunds: logpb.CaptureFunds,
  ReleaseFunds: logpb.ReleaseFunds,
};

const { POSTING_TYPE_CREDIT, POSTING_TYPE_DEBIT, POSTING_TYPE_HOLD, POSTING_TYPE_CAPTURE, POSTING_TYPE_RELEASE } = accountpb.PostingType;
const TYPES = {
  CREDIT: POSTING_TYPE_CREDIT,
  DEBIT: POSTING_TYPE_DEBIT,
  HOLD: POSTING_TYPE_HOLD,
  CAPTURE: POSTING_TYPE_CAPTURE,
  RELEASE: POSTING_TYPE_RELEASE,
} as const;

function postingFor(method: DecidedMethod, asked: FundsMessage): accountpb.Posting {
  const holdId = engineMadeId(asked.requestId);
  switch (method) {
    case 'TakeFunds':
      return postingOf('DEBIT', asked);
    case 'HoldFunds':
      // The id of a hold is the request id of its posting.
      return { ...postingOf('HOLD', asked), requestId: holdId };
    case 'CaptureFunds':
      return { ...postingOf('CAPTURE', asked), holdId, final: true };
    case 'ReleaseFunds':
      return { ...postingOf('RELEASE', asked), holdId };
    default:
      return method satisfies never;
  }
}

function postingOf(type: keyof typeof TYPES, asked: FundsMessage): accountpb.Posting {
  const { requestId, accountId, amountMinor, unit, counterparty, metadata } = asked;
  return accountpb.Posting.fromPartial({ requestId, accountId, amountMinor, unit, counterparty, metadata, type: TYPES[type], funds: true });
}

/** Throws where the hold is not there: only the capability that made it ends it, once. */
function existing(method: DecidedMethod, posting: PostingBatch, decision: PostingDecision | undefined): PostingDecision {
  if (decision === undefined) throw new Error(`${method}: account ${posting.accountId(0)} has no hold ${posting.holdId(0)}`);
  return decision;
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
