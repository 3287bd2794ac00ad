/** What happens in a golden history: every event type, every posting type, every way of being refused, amounts at their ends. */
import { POSTING_TYPES } from '@sluice/domain/account';
import { accountpb, signPosting } from '@sluice/protocol/account';
import { DAY_CALLS, DEPOSITORS, type BranchCommand } from './business-days';
import { batch, open, order, post, posting, transfer, transfers, update, type Call } from './call';

const KEY = Buffer.from('a key of a golden history');
const ACCOUNTS = ['{golden}-1', '{golden}-2', 'signed', 'limited', 'closing', 'ünïcødé 語'];

export interface Scenario {
  /** Ids of every account that it opens. */
  readonly accounts: readonly string[];
  readonly calls: readonly (Call | BranchCommand)[];
}

function signed(one: accountpb.Posting, signedAtUs: bigint): accountpb.Posting {
  return { ...one, signedAtUs, signature: signPosting(KEY, { ...one, signedAtUs, typeName: POSTING_TYPES[one.type - 1] ?? '' }) };
}

const freeze = (requestId: string, accountId: string): Call => ({
  method: 'freezeAccount',
  request: accountpb.FreezeAccountRequest.encode({ requestId, accountId, note: 'asked for' }).finish(),
});
const unfreeze = (requestId: string, accountId: string): Call => ({
  method: 'unfreezeAccount',
  request: accountpb.UnfreezeAccountRequest.encode({ requestId, accountId, note: '' }).finish(),
});
const close = (requestId: string, accountId: string): Call => ({
  method: 'closeAccount',
  request: accountpb.CloseAccountRequest.encode({ requestId, accountId, note: 'moved' }).finish(),
});

const [first, second, signing, limited, closing, unicode] = ACCOUNTS as [string, string, string, string, string, string];
const INT64_MAX = (1n << 63n) - 1n;

const ACCOUNT_CALLS: readonly Call[] = [
  open({ accountId: first, branchId: 'north', product: 'wallet' }),
  open({ accountId: second, branchId: 'north' }),
  open({ accountId: signing, signingKey: KEY }),
  open({ accountId: limited, limits: { overdraftMinor: 50n, maximumBalanceMinor: 1_000n, maximumPostingMinor: 500n, allowedTypes: [1, 2, 3] } }),
  open({ accountId: closing }),
  open({ accountId: unicode, unit: 'µ€' }),
  open({ accountId: first, requestId: 'opens it twice' }),
  post(
    posting('CREDIT', first, 'c1', 10_000n, {
      counterparty: 'shop 42',
      channel: 'app',
      initiatedDate: '2026-01-02',
      metadata: { order: '4711', note: 'Grüße' },
    }),
  ),
  batch([
    posting('DEBIT', first, 'd1', 1_000n),
    posting('HOLD', first, 'h1', 500n),
    posting('HOLD', first, 'h2', 300n),
    posting('CAPTURE', first, 'p1', 200n, { holdId: 'h1' }),
    posting('RELEASE', first, 'l1', 100n, { holdId: 'h2' }),
    posting('CAPTURE', first, 'p2', 10n, { holdId: 'h1', final: true }),
    posting('DEBIT', first, 'too much', 1_000_000n),
    posting('CAPTURE', first, 'no hold', 1n, { holdId: 'none' }),
    posting('CREDIT', second, 'c1', 7n),
    posting('CREDIT', first, 'other unit', 1n, { unit: 'USD' }),
  ]),
  batch([posting('DEBIT', first, 'move out', 40n), posting('CREDIT', second, 'move in', 40n)], true),
  batch([posting('CREDIT', second, 'undone', 40n), posting('DEBIT', second, 'culprit', 1_000n)], true),
  post(signed(posting('CREDIT', signing, 's1', 99n), 1_767_225_600_000_001n)),
  post(posting('CREDIT', signing, 'unsigned', 99n)),
  post(signed(posting('DEBIT', signing, 's2', 100n), 1_767_225_600_000_002n)),
  batch([
    posting('CREDIT', limited, 'l1', 501n),
    posting('RELEASE', limited, 'l2', 1n, { holdId: 'x' }),
    posting('CREDIT', limited, 'l3', 500n),
    posting('CREDIT', limited, 'l4', 500n),
    posting('CREDIT', limited, 'l5', 1n),
  ]),
  batch([posting('CREDIT', unicode, 'größte', INT64_MAX, { unit: 'µ€' }), posting('CREDIT', unicode, 'one more', 1n, { unit: 'µ€' })]),
  freeze('freeze', second),
  batch([posting('DEBIT', second, 'while frozen', 1n), posting('CREDIT', second, 'while frozen too', 1n)]),
  freeze('freeze again', second),
  unfreeze('unfreeze', second),
  update({
    requestId: 'update limits',
    accountId: first,
    limits: { overdraftMinor: 77n, maximumBalanceMinor: undefined, maximumPostingMinor: undefined, allowedTypes: [] },
  }),
  update({ requestId: 'update product', accountId: first, product: 'gold' }),
  update({ requestId: 'no key any more', accountId: signing, signingKey: Buffer.alloc(0) }),
  post(posting('CREDIT', signing, 's3', 1n)),
  post(posting('CREDIT', closing, 'c', 5n)),
  close('close too early', closing),
  post(posting('DEBIT', closing, 'd', 5n)),
  close('close', closing),
  post(posting('CREDIT', closing, 'too late', 5n)),
  post(posting('CREDIT', 'nobody', 'x', 5n)),
];

/** With two partitions, the first three are in one of them and the last two in the other. */
const PAYERS = ['{even}-1', '{even}-2', '{even}-closed', '{odd-}-1', '{odd-}-2'];
const [payer, neighbour, gone, stranger, limitedStranger] = PAYERS as [string, string, string, string, string];

const TRANSFER_CALLS: readonly Call[] = [
  ...[payer, neighbour, gone, stranger].map((accountId) => open({ accountId })),
  open({ accountId: limitedStranger, limits: { overdraftMinor: 0n, maximumBalanceMinor: 10n, maximumPostingMinor: undefined, allowedTypes: [] } }),
  close('close', gone),
  post(posting('CREDIT', payer, 'c1', 1_000n)),
  transfer(order(payer, 't1', neighbour, 100n)),
  transfer(order(payer, 't2', stranger, 200n)),
  transfers([
    order(payer, 't3', gone, 1n),
    order(payer, 't4', limitedStranger, 11n),
    order(payer, 't5', limitedStranger, 10n),
    order(neighbour, 't1', stranger, 50n),
    order(neighbour, 't2', stranger, 1_000_000n),
    order(stranger, 't1', payer, 25n),
  ]),
  batch([
    posting('HOLD', payer, 'expires', 30n, { expiresAfterMs: 5_000n }),
    posting('HOLD', payer, 'captured', 20n, { expiresAfterMs: 5_000n }),
    posting('CAPTURE', payer, 'p1', 20n, { holdId: 'captured' }),
    posting('HOLD', stranger, 'stays', 10n, { expiresAfterMs: 3_600_000n }),
    posting('HOLD', stranger, 'released', 5n, { expiresAfterMs: 3_600_000n }),
    posting('RELEASE', stranger, 'l1', 5n, { holdId: 'released' }),
  ]),
  // While these are made the time of the first hold runs out.
  ...Array.from({ length: 6 }, (_, number) => post(posting('CREDIT', neighbour, `later-${number}`, 1n))),
];

export const SCENARIOS = {
  days: { accounts: DEPOSITORS, calls: DAY_CALLS },
  account: { accounts: ACCOUNTS, calls: ACCOUNT_CALLS },
  transfers: { accounts: PAYERS, calls: TRANSFER_CALLS },
} satisfies Record<string, Scenario>;
