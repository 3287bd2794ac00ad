/** What happens in a golden history: every event type, every posting type, every way of being refused, amounts at their ends. */
import { POSTING_TYPES, type PostingType } from '@sluice/domain/account';
import { accountpb, signPosting } from '@sluice/protocol/account';

export interface Call {
  readonly method: string;
  readonly request: Uint8Array;
}

const KEY = Buffer.from('a key of a golden history');
const ACCOUNTS = ['{golden}-1', '{golden}-2', 'signed', 'limited', 'closing', 'ünïcødé 語'];

/** Ids of every account that the scenario opens. */
export const SCENARIO_ACCOUNTS: readonly string[] = ACCOUNTS;

function posting(type: PostingType, accountId: string, requestId: string, amountMinor: bigint, rest: Partial<accountpb.Posting> = {}): accountpb.Posting {
  return accountpb.Posting.fromPartial({ type: POSTING_TYPES.indexOf(type) + 1, accountId, requestId, amountMinor, unit: 'EUR', ...rest });
}

function signed(one: accountpb.Posting, signedAtUs: bigint): accountpb.Posting {
  return { ...one, signedAtUs, signature: signPosting(KEY, { ...one, signedAtUs, typeName: POSTING_TYPES[one.type - 1] ?? '' }) };
}

const batch = (postings: accountpb.Posting[], atomic = false): Call => ({
  method: 'postBatch',
  request: accountpb.PostBatchRequest.encode({ postings, atomic }).finish(),
});
const post = (one: accountpb.Posting): Call => ({ method: 'post', request: accountpb.PostRequest.encode({ posting: one }).finish() });
const open = (account: Partial<accountpb.AccountOpening>): Call => ({
  method: 'openAccount',
  request: accountpb.OpenAccountRequest.encode(
    accountpb.OpenAccountRequest.fromPartial({ account: { unit: 'EUR', requestId: `open ${account.accountId}`, ...account } }),
  ).finish(),
});
const update = (request: Partial<accountpb.UpdateAccountRequest>): Call => ({
  method: 'updateAccount',
  request: accountpb.UpdateAccountRequest.encode(accountpb.UpdateAccountRequest.fromPartial(request)).finish(),
});
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

export const SCENARIO: readonly Call[] = [
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
