/** What older versions packed is read as they meant it. */
import type { Account } from '@sluice/domain/account';
import { ByteReader, ByteWriter } from '@sluice/protocol';
import { packAccount, unpackAccount } from './account-record';

const account: Account = {
  accountId: 'deposit',
  unit: 'CZK',
  branchId: '55',
  product: 'term',
  status: 'FROZEN',
  limits: { overdraftMinor: 9n, maximumBalanceMinor: 10n ** 18n, allowedTypes: ['CREDIT', 'DEBIT'] },
  signingKeyId: 'key',
  linkedAccountId: 'current',
  balanceMinor: -7n,
  heldMinor: 3n,
  holds: new Map([['h', 3n]]),
  holdExpiries: new Map([['h', 1_767_225_600_000_000]]),
  inTransitMinor: 5n,
  entryCount: 4,
  rejectionCount: 5,
  version: 6,
  openedAtUs: 1_767_225_600_000_000,
  balanceUpdatedAtUs: 1_767_225_600_000_001,
};

const TAIL_BYTES = 1 + 'current'.length;
/** In transit, and one expiry with its hold's id. */
const TAIL_OF_VERSION_2 = 1 + 1 + 2 + 8;

test.each`
  version | cut                               | read
  ${3}    | ${0}                              | ${account}
  ${2}    | ${TAIL_BYTES}                     | ${{ ...account, linkedAccountId: '' }}
  ${1}    | ${TAIL_BYTES + TAIL_OF_VERSION_2} | ${{ ...account, linkedAccountId: '', inTransitMinor: 0n, holdExpiries: new Map() }}
`('a record of version $version', ({ version, cut, read }: { version: number; cut: number; read: Account }) => {
  const writer = new ByteWriter(64);
  packAccount(writer, account);
  const reader = new ByteReader(writer.bytes, 0, writer.at - cut);
  expect(unpackAccount('deposit', reader, version)).toEqual(read);
  expect(reader.done).toBe(true);
});
