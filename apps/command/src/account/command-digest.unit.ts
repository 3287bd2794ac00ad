import type { AccountCommand } from '@sluice/domain/account';
import * as fc from 'fast-check';
import { digestCommand } from './command-digest';

const LIMITS = {
  overdraftMinor: 50n,
  maximumBalanceMinor: 9_223_372_036_854_775_807n,
  maximumPostingMinor: 500n,
  allowedTypes: ['CREDIT', 'DEBIT', 'HOLD', 'CAPTURE', 'RELEASE'],
} as const;

/**
 * Digests that stand in logs. A change here turns honest repeats of old commands into REQUEST_ID_REUSED: mend the code, never
 * the digest.
 */
const STORED: readonly (readonly [digest: string, command: AccountCommand])[] = [
  [
    '9f183ff393d6f3360b0074d2b40b42da',
    { kind: 'open', accountId: 'alice', unit: 'EUR', branchId: '', product: '', limits: { overdraftMinor: 0n, allowedTypes: [] }, signingKeyId: '' },
  ],
  [
    '34dcbe430678843f864669ee50653519',
    { kind: 'open', accountId: '{room-12}-0815', unit: 'µ€', branchId: 'north', product: 'wallet "gold"', limits: LIMITS, signingKeyId: 'key-1' },
  ],
  [
    '0a8827937d6c4a4728a3f9902431de7c',
    {
      kind: 'open',
      accountId: 'deposit',
      unit: 'CZK',
      branchId: '55',
      product: 'term',
      limits: { overdraftMinor: 0n, allowedTypes: [] },
      signingKeyId: '',
      linkedAccountId: 'current',
    },
  ],
  ['0e28a767ba47571f89014993db0329c4', { kind: 'update', limits: { overdraftMinor: 77n, maximumBalanceMinor: 1_000n, allowedTypes: ['CREDIT'] } }],
  ['922786b6b9ee0fc7a24a680570a6c4ce', { kind: 'update', product: 'gold' }],
  ['91a58e17af65361705bb20de68f9f7d7', { kind: 'update', signingKeyId: '' }],
  [
    '0c1645b548d820e3b98fa250ef4a06f4',
    { kind: 'update', limits: { overdraftMinor: 0n, maximumPostingMinor: 1n, allowedTypes: [] }, product: '', signingKeyId: 'k' },
  ],
  ['f2385579b6b62870c570f8b38f75cdfe', { kind: 'update', linkedAccountId: '' }],
  ['fb47297ca994fdfa25a405a729c05a66', { kind: 'update', product: 'term', linkedAccountId: 'current' }],
  ['e21e1cdab5ab05ba1e03f78a2ed521c1', { kind: 'freeze', note: 'asked for' }],
  ['e2c4168a22673d41bb8bf10bdb09d274', { kind: 'unfreeze', note: '' }],
  ['be7bf0364848d55ef97e916696bb6e83', { kind: 'close', note: 'moved\u0000\n🦀' }],
];

test.each(STORED)('%s stays the digest of its command', (digest, command) => {
  expect(Buffer.from(digestCommand(command).digest).toString('hex')).toBe(digest);
});

test('every kind of command is among the stored ones', () => {
  const kinds: Record<AccountCommand['kind'], true> = { open: true, update: true, freeze: true, unfreeze: true, close: true };
  expect(new Set(STORED.map(([, { kind }]) => kind))).toEqual(new Set(Object.keys(kinds)));
});

test('the text does not depend on the order of fields in memory, nor on fields that are set to undefined', () => {
  const [stored, command] = STORED[1] as [string, AccountCommand];
  const reversed = Object.fromEntries(Object.entries(command).reverse()) as AccountCommand;
  expect(Buffer.from(digestCommand(reversed).digest).toString('hex')).toBe(stored);
  const update: AccountCommand = { kind: 'update', product: 'gold' };
  expect(digestCommand({ ...update, limits: undefined, signingKeyId: undefined })).toEqual(digestCommand(update));
});

test('an opening without a linked account has the digest that it had before there were linked accounts', () => {
  const [stored, command] = STORED[0] as [string, AccountCommand & { kind: 'open' }];
  expect(Buffer.from(digestCommand({ ...command, linkedAccountId: '' }).digest).toString('hex')).toBe(stored);
});

test('commands that differ in anything have different digests', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 4 });
  const command = fc.oneof(
    fc.record({ kind: fc.constantFrom('freeze' as const, 'unfreeze' as const, 'close' as const), note: text }),
    fc.record({ kind: fc.constant('update' as const), product: text, signingKeyId: text }, { requiredKeys: ['kind'] }),
  );
  fc.assert(
    fc.property(command, command, (left, right) => {
      const same = JSON.stringify(Object.entries(left).sort()) === JSON.stringify(Object.entries(right).sort());
      expect(Buffer.compare(digestCommand(left).digest, digestCommand(right).digest) === 0).toBe(same);
    }),
  );
});
