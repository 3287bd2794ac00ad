/**
 * The transition table of account.ts, row by row: what stands, what is asked, what comes out.
 */
import { NO_LIMITS, type Account, type AccountStatus } from './account';
import { decideAccount, evolveAccount, type AccountCommand, type AccountDecision } from './lifecycle';

const OPENING = { accountId: 'a', unit: 'EUR', branchId: 'b1', product: 'wallet', limits: NO_LIMITS, signingKeyId: '' } as const;

function account(status: AccountStatus, changes: Partial<Account> = {}): Account {
  return { ...evolveAccount(undefined, { kind: 'opened', ...OPENING }, 10), status, ...changes };
}

const none = undefined;
const open = account('OPEN');
const frozen = account('FROZEN');
const closed = account('CLOSED');
const owing = account('OPEN', { balanceMinor: -1n });
const owning = account('FROZEN', { balanceMinor: 1n });
const holding = account('OPEN', { balanceMinor: 1n, heldMinor: 1n, holds: new Map([['h', 1n]]) });

const doOpen: AccountCommand = { kind: 'open', ...OPENING };
const doUpdate: AccountCommand = { kind: 'update', product: 'savings' };
const doFreeze: AccountCommand = { kind: 'freeze', note: 'court' };
const doUnfreeze: AccountCommand = { kind: 'unfreeze', note: 'settled' };
const doClose: AccountCommand = { kind: 'close', note: 'moved' };

const opened: AccountDecision = { accepted: true, event: { kind: 'opened', ...OPENING } };
const updated: AccountDecision = { accepted: true, event: { kind: 'updated', product: 'savings' } };
const becomes = (status: AccountStatus, note: string): AccountDecision => ({ accepted: true, event: { kind: 'statusChanged', status, note } });
const rejected = (rejection: string): unknown => ({ accepted: false, rejection });

test.each`
  state        | from       | command       | decision
  ${'none'}    | ${none}    | ${doOpen}     | ${opened}
  ${'none'}    | ${none}    | ${doUpdate}   | ${rejected('ACCOUNT_NOT_FOUND')}
  ${'none'}    | ${none}    | ${doFreeze}   | ${rejected('ACCOUNT_NOT_FOUND')}
  ${'none'}    | ${none}    | ${doUnfreeze} | ${rejected('ACCOUNT_NOT_FOUND')}
  ${'none'}    | ${none}    | ${doClose}    | ${rejected('ACCOUNT_NOT_FOUND')}
  ${'open'}    | ${open}    | ${doOpen}     | ${rejected('ACCOUNT_EXISTS')}
  ${'open'}    | ${open}    | ${doUpdate}   | ${updated}
  ${'open'}    | ${open}    | ${doFreeze}   | ${becomes('FROZEN', 'court')}
  ${'open'}    | ${open}    | ${doUnfreeze} | ${rejected('NOT_FROZEN')}
  ${'open'}    | ${open}    | ${doClose}    | ${becomes('CLOSED', 'moved')}
  ${'owing'}   | ${owing}   | ${doClose}    | ${rejected('BALANCE_NOT_ZERO')}
  ${'holding'} | ${holding} | ${doClose}    | ${rejected('HOLDS_OPEN')}
  ${'frozen'}  | ${frozen}  | ${doOpen}     | ${rejected('ACCOUNT_EXISTS')}
  ${'frozen'}  | ${frozen}  | ${doUpdate}   | ${updated}
  ${'frozen'}  | ${frozen}  | ${doFreeze}   | ${rejected('ALREADY_FROZEN')}
  ${'frozen'}  | ${frozen}  | ${doUnfreeze} | ${becomes('OPEN', 'settled')}
  ${'frozen'}  | ${frozen}  | ${doClose}    | ${becomes('CLOSED', 'moved')}
  ${'owning'}  | ${owning}  | ${doClose}    | ${rejected('BALANCE_NOT_ZERO')}
  ${'closed'}  | ${closed}  | ${doOpen}     | ${rejected('ACCOUNT_EXISTS')}
  ${'closed'}  | ${closed}  | ${doUpdate}   | ${rejected('ACCOUNT_CLOSED')}
  ${'closed'}  | ${closed}  | ${doFreeze}   | ${rejected('ACCOUNT_CLOSED')}
  ${'closed'}  | ${closed}  | ${doUnfreeze} | ${rejected('ACCOUNT_CLOSED')}
  ${'closed'}  | ${closed}  | ${doClose}    | ${rejected('ACCOUNT_CLOSED')}
`('$state: $command.kind', ({ from, command, decision }: { from: Account | undefined; command: AccountCommand; decision: AccountDecision }) => {
  const before = structuredClone(from);
  expect(decideAccount(from, command)).toEqual(decision);
  expect(from).toEqual(before);
});

test('an account is not closed while a transfer of it may come back', () => {
  const account = evolveAccount(undefined, { kind: 'opened', ...OPENING }, 1);
  account.inTransitMinor = 1n;
  expect(decideAccount(account, doClose)).toEqual(rejected('TRANSFERS_PENDING'));
  account.balanceMinor = 1n;
  expect(decideAccount(account, doClose)).toEqual(rejected('BALANCE_NOT_ZERO'));
});

test('an opened account starts empty, at version 1', () => {
  expect(evolveAccount(undefined, { kind: 'opened', ...OPENING }, 77)).toEqual({
    ...OPENING,
    linkedAccountId: '',
    status: 'OPEN',
    balanceMinor: 0n,
    heldMinor: 0n,
    holds: new Map(),
    holdExpiries: new Map(),
    inTransitMinor: 0n,
    entryCount: 0,
    rejectionCount: 0,
    version: 1,
    openedAtUs: 77,
    balanceUpdatedAtUs: 77,
  });
});

test('an update changes what it names and nothing else; every change raises the version', () => {
  const limits = { overdraftMinor: 5n, allowedTypes: ['CREDIT'] as const };
  const account = evolveAccount(undefined, { kind: 'opened', ...OPENING }, 1);
  evolveAccount(account, { kind: 'updated', limits }, 2);
  expect(account).toMatchObject({ limits, product: 'wallet', signingKeyId: '', version: 2 });
  evolveAccount(account, { kind: 'updated', product: 'savings', signingKeyId: 'k1', linkedAccountId: 'current' }, 3);
  expect(account).toMatchObject({ limits, product: 'savings', signingKeyId: 'k1', version: 3 });
  evolveAccount(account, { kind: 'updated', signingKeyId: '' }, 4);
  expect(account).toMatchObject({ product: 'savings', signingKeyId: '', linkedAccountId: 'current', version: 4 });
  evolveAccount(account, { kind: 'statusChanged', status: 'FROZEN', note: '' }, 5);
  expect(account).toMatchObject({ status: 'FROZEN', version: 5, openedAtUs: 1, balanceUpdatedAtUs: 1 });
});

test('a history that cannot be is a broken log, not a rejection', () => {
  const account = evolveAccount(undefined, { kind: 'opened', ...OPENING }, 1);
  expect(() => evolveAccount(account, { kind: 'opened', ...OPENING }, 2)).toThrow('account a is opened twice');
  expect(() => evolveAccount(undefined, { kind: 'updated' }, 2)).toThrow('event updated on an account that does not exist');
});
