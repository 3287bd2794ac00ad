/** Why an account is set aside by a job of a day, and what an operator does about it. The next end of day tries it again. */
import type { TargetRejection, TermFault } from '@sluice/domain/account';

export type SetAsideFault = TermFault | TargetRejection;

const REASONS: Readonly<Record<SetAsideFault, string>> = {
  AMOUNT_OVERFLOW: 'an amount does not fit into 64 bits: lower the balance, or the rate of the product',
  ACCOUNT_FROZEN: 'the account is frozen: unfreeze it',
  BALANCE_NEGATIVE: 'the balance is negative: credit the account',
  HOLDS_OPEN: 'holds are open: capture or release them',
  NO_LINKED_ACCOUNT: 'there is no linked account: name one by an update of the account',
  CLOSING_BALANCE_TAKEN: 'a part of the closing balance was taken since: credit the account',
  TARGET_REFUSED: 'the linked account refuses the amount: name another one by an update of the account',
  TARGET_NOT_FOUND: 'the linked account does not exist: open it, or name another one by an update of the account',
  TARGET_UNIT_MISMATCH: 'the linked account has another unit: name another one by an update of the account',
  TARGET_CLOSED: 'the linked account is closed: name another one by an update of the account',
  TARGET_TYPE_NOT_ALLOWED: 'the linked account does not allow credits: change its limits, or name another one by an update of the account',
  TARGET_POSTING_LIMIT_EXCEEDED: 'the amount is above the posting limit of the linked account: raise it, or name another one by an update of the account',
  TARGET_MAXIMUM_BALANCE_EXCEEDED: 'the linked account would be above its maximum balance: raise it, or name another one by an update of the account',
  TARGET_AMOUNT_OVERFLOW: 'the balance of the linked account would not fit into 64 bits: name another one by an update of the account',
};

export function reasonOf(fault: SetAsideFault): string {
  return REASONS[fault];
}

/** Interest of a closed account lapsed: that is said once. */
export function reasonOfLapsed(lapsedMinor: bigint, unit: string): string {
  return `the account is closed: settle its interest of ${lapsedMinor} minor units of ${unit} by hand`;
}
