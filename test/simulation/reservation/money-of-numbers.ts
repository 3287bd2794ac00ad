/** What the entries of accounts have to say about the money of a number. */
import type { ReadNumber } from './number-model';

/** What the entries have to be, one way or another. */
export function expectedEntries({ money, reserved }: ReadNumber): readonly string[] {
  const { accountId, amountMinor, payeeAccountId } = reserved.money ?? { accountId: '', amountMinor: 0n, payeeAccountId: '' };
  const own = (...types: readonly string[]): string => String(types.map((type) => `${type} ${amountMinor} ${accountId}`).sort());
  switch (money) {
    case 'NONE':
    case 'ASKED':
      return [''];
    case 'HELD':
    case 'CAPTURING':
      return [own('HOLD')];
    case 'RELEASED':
      return [own('HOLD', 'RELEASE')];
    case 'CAPTURED':
      return [own('HOLD', 'CAPTURE')];
    case 'PAID':
      return [String([`HOLD ${amountMinor} ${accountId}`, `CAPTURE ${amountMinor} ${accountId}`, `PAID ${amountMinor} ${payeeAccountId}`].sort())];
    case 'RETURNED':
      return [own('HOLD', 'CAPTURE', 'CREDIT'), own('HOLD', 'RELEASE')];
    default:
      return money satisfies never;
  }
}
