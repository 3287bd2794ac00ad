/** What a contest asks of accounts, as the messages of its deliveries, and their verdicts as the domain knows them. */
import type { Contest, MoneyOrder, SettledMoney } from '@sluice/domain/contest';
import type { Owed, SettledDelivery } from '@sluice/engine';
import { logpb } from '@sluice/protocol';
import { nameOfFunds, owedToAccount } from '../funds/funds-of-capabilities';

export function owedMoney(contest: Contest, order: MoneyOrder): Owed {
  const { contestId, round } = contest;
  const { fundAccountId, unit } = rewardOf(contest);
  const about = { unit, counterparty: contestId };
  switch (order.kind) {
    case 'takeFunds': {
      const { amountMinor, attempt } = order;
      const message = {
        ...about,
        requestId: nameOfFunds('contest', contestId, `fund ${attempt}`),
        accountId: fundAccountId,
        amountMinor,
        metadata: { contest: contestId },
      };
      return owedToAccount('TakeFunds', fundAccountId, logpb.TakeFunds.encode(message).finish());
    }
    case 'payFunds': {
      const { accountId, amountMinor } = order;
      const metadata = { contest: contestId, round: String(round) };
      const message = {
        ...about,
        requestId: nameOfFunds('contest', contestId, `reward ${round}`),
        accountId,
        amountMinor,
        fromAccountId: fundAccountId,
        metadata,
      };
      return owedToAccount('PayFunds', accountId, logpb.PayFunds.encode(message).finish());
    }
    case 'settleFunds': {
      const { amountMinor, returnedMinor } = order;
      const attempt = contest.fund?.attempt ?? 0;
      const metadata = { contest: contestId };
      const message = {
        ...about,
        requestId: nameOfFunds('contest', contestId, `fund ${attempt}`),
        accountId: fundAccountId,
        amountMinor,
        returnedMinor,
        metadata,
      };
      return owedToAccount('SettleFunds', fundAccountId, logpb.SettleFunds.encode(message).finish());
    }
    default:
      return order satisfies never;
  }
}

/** Throws for a delivery that no contest owes, and for funds that an account does not take back. */
export function settledMoney({ method, payload, accepted, reason, id }: SettledDelivery): SettledMoney {
  switch (method) {
    case 'TakeFunds':
      return { kind: 'takeFunds', reason };
    case 'PayFunds': {
      const { accountId, amountMinor } = logpb.PayFunds.decode(payload);
      return { kind: 'payFunds', accountId, amountMinor, reason };
    }
    case 'SettleFunds':
      if (!accepted) throw new Error(`delivery ${id}: funds were not taken back: ${reason}`);
      return { kind: 'settleFunds', returnedMinor: logpb.SettleFunds.decode(payload).returnedMinor };
    default:
      throw new Error(`delivery ${id}: contests owe no ${method}`);
  }
}

function rewardOf({ contestId, rules }: Contest): { readonly fundAccountId: string; readonly unit: string } {
  if (rules?.reward === undefined) throw new Error(`contest ${contestId} has money and no reward`);
  return rules.reward;
}
