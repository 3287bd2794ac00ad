/** What a number asks of accounts, as the messages of its deliveries, and their verdicts as the domain knows them. */
import type { MoneyAnswer, MoneyOrder } from '@sluice/domain/reservation';
import type { Owed, SettledDelivery } from '@sluice/engine';
import { logpb } from '@sluice/protocol';
import { nameOfFunds, owedToAccount } from '../funds/funds-of-capabilities';

export function owedMoney(order: MoneyOrder): Owed {
  const { number, money } = order;
  const { accountId, amountMinor, unit, payeeAccountId } = money;
  const message = { requestId: nameOfFunds('reservation', number), accountId, amountMinor, unit, counterparty: number, metadata: {} };
  switch (order.kind) {
    case 'holdFunds':
      return owedToAccount('HoldFunds', accountId, logpb.HoldFunds.encode(message).finish());
    case 'releaseFunds':
      return owedToAccount('ReleaseFunds', accountId, logpb.ReleaseFunds.encode(message).finish());
    case 'captureFunds':
      return owedToAccount('CaptureFunds', accountId, logpb.CaptureFunds.encode(message).finish());
    case 'payFunds': {
      const payment = { ...message, accountId: payeeAccountId, fromAccountId: accountId };
      return owedToAccount('PayFunds', payeeAccountId, logpb.PayFunds.encode(payment).finish());
    }
    case 'settleFunds': {
      const settlement = { ...message, returnedMinor: order.returned ? amountMinor : 0n };
      return owedToAccount('SettleFunds', accountId, logpb.SettleFunds.encode(settlement).finish());
    }
    default:
      return order satisfies never;
  }
}

const ANSWERS: Readonly<Record<string, MoneyAnswer['kind']>> = { HoldFunds: 'holdFunds', CaptureFunds: 'captureFunds', PayFunds: 'payFunds' };

/** Undefined: no account was asked, or its answer leads to nothing. Throws where an account refuses what none refuses. */
export function answerOfAccount({ method, accepted, reason, id }: SettledDelivery): MoneyAnswer | undefined {
  const kind = ANSWERS[method];
  if (kind !== undefined) return { kind, reason: accepted ? '' : reason };
  if (!accepted && (method === 'ReleaseFunds' || method === 'SettleFunds')) throw new Error(`delivery ${id}: an account refused ${method}: ${reason}`);
  return undefined;
}
