/** Checks of fields that several requests on reservations have. */
import { MAXIMUM_ID_BYTES, MAXIMUM_UNIT_BYTES } from '@sluice/protocol';
import type { reservationpb } from '@sluice/protocol/reservation';
import { checkText, invalidRequest } from '@sluice/service';

const MAXIMUM_NOTE_BYTES = 256;

export function checkNote(note: string): void {
  checkText(note, 'note', 0, MAXIMUM_NOTE_BYTES);
}

export function checkTimeUs(expiresAtUs: bigint): void {
  if (expiresAtUs < 0n || expiresAtUs > Number.MAX_SAFE_INTEGER)
    throw invalidRequest('expires_at_us', `is ${expiresAtUs}; it must be 0 to ${Number.MAX_SAFE_INTEGER}`);
}

export function checkMoney({ accountId, amountMinor, unit, payeeAccountId }: reservationpb.MoneyHold): void {
  checkText(accountId, 'money.account_id', 1, MAXIMUM_ID_BYTES);
  checkText(payeeAccountId, 'money.payee_account_id', 1, MAXIMUM_ID_BYTES);
  if (accountId === payeeAccountId) throw invalidRequest('money.payee_account_id', 'is the account that pays; money goes from one account to another');
  if (amountMinor <= 0n) throw invalidRequest('money.amount_minor', `is ${amountMinor}; it must be above 0`);
  checkText(unit, 'money.unit', 1, MAXIMUM_UNIT_BYTES);
}
