/** How accounts and the answers to commands look to people. */
import type { Account, AccountLimits, CommandResult } from '@sluice/client';
import { type Cell, timeText } from '../output';

export function accountPairs(account: Account): (readonly [string, Cell])[] {
  return [
    ['account', account.accountId],
    ['status', account.status],
    ['balance', `${account.balanceMinor} ${account.unit}`],
    ['held', account.heldMinor],
    ['available', account.availableMinor],
    ['branch', account.branchId],
    ['product', account.product],
    ...limitPairs(account.limits),
    ['signing key', account.signingKeyId],
    ['entries', account.entryCount],
    ['refusals', account.rejectionCount],
    ['version', account.version],
    ['opened', timeText(account.openedAtUs)],
    ['balance updated', timeText(account.balanceUpdatedAtUs)],
    ['last day', lastDayText(account)],
    ['last day updated', timeText(account.lastDayUpdatedAtUs)],
    ['balance date', account.balanceDate],
    ['linked account', account.linkedAccountId],
    ['partition', `${account.partition}, sequence ${account.sequence}`],
    ...account.holds.map(
      ({ holdId, remainingMinor, expiresAtUs }) =>
        ['hold', `${holdId}: ${remainingMinor}${expiresAtUs === undefined ? '' : `, expires ${timeText(expiresAtUs)}`}`] as const,
    ),
  ];
}

/** Empty: its branch has no business dates. */
export function lastDayText({ lastDayBalanceMinor, lastDayDate }: Account): string {
  return lastDayDate === '' ? '' : `${lastDayBalanceMinor} on ${lastDayDate}`;
}

function limitPairs(limits: AccountLimits): (readonly [string, Cell])[] {
  return [
    ['overdraft', limits.overdraftMinor],
    ['maximum balance', limits.maximumBalanceMinor],
    ['maximum posting', limits.maximumPostingMinor],
    ['allowed types', limits.allowedTypes?.join(', ')],
  ];
}

export function resultPairs(result: CommandResult): (readonly [string, Cell])[] {
  return [
    ['account', result.accountId],
    ['status', result.status],
    ['balance', result.balanceMinor],
    ['held', result.heldMinor],
    ['version', result.version],
    ['signing key', result.signingKeyId],
    ['request id', result.requestId],
    ['repeated', result.repeated ? 'yes: this is the first answer again' : undefined],
  ];
}
