/** What the router writes into the columns of a batch: by these hashes accounts and requests are found for as long as the log lives. */
import { keyedHash, hashSeeds, lastHash, requestHash, type Engine } from '@sluice/engine';
import { accountpb, scanPostings } from '@sluice/protocol/account';
import { itemOf } from './account-commands';
import { PostingRouter, SHAPE_ISSUES } from './posting-router';

const INCARNATION = Buffer.alloc(16, 7);
const IDS = [
  ['hot', 'r1'],
  ['hot', 'r2'],
  ['{one}cold', 'a request id that is much longer than the others'],
  ['ö', 'r1'],
] as const;

function routed(secret: string): { accounts: number[]; requests: number[] } {
  const postings = IDS.map(([accountId, requestId]) => accountpb.Posting.fromPartial({ accountId, requestId, type: 1, amountMinor: 1n, unit: 'EUR' }));
  const batch = scanPostings(accountpb.PostBatchRequest.encode({ postings, atomic: false }).finish(), SHAPE_ISSUES);
  new PostingRouter({ partitionCount: 4 } as unknown as Engine, hashSeeds(Buffer.from(secret), INCARNATION), undefined).route(batch);
  return { accounts: [...batch.accountHashes.subarray(0, IDS.length)], requests: [...batch.requestHashes.subarray(0, 2 * IDS.length)] };
}

function keyed(secret: string): { accounts: number[]; requests: number[] } {
  const seeds = hashSeeds(Buffer.from(secret), INCARNATION);
  const accounts: number[] = [];
  const requests: number[] = [];
  for (const [accountId, requestId] of IDS) {
    const [account, request] = [Buffer.from(accountId), Buffer.from(requestId)];
    const accountHash = keyedHash(seeds, account, 0, account.length);
    requestHash(seeds, accountHash, request, 0, request.length);
    accounts.push(accountHash);
    requests.push(lastHash.first, lastHash.second);
  }
  return { accounts, requests };
}

test('accounts and requests are hashed under the key of the log, so that no caller can make them collide', () => {
  expect(routed('a secret')).toEqual(keyed('a secret'));
  expect(routed('a secret').accounts).not.toEqual(routed('another secret').accounts);
});

test('commands on accounts are hashed like postings', () => {
  const seeds = hashSeeds(Buffer.from('a secret'), INCARNATION);
  const items = IDS.map(([accountId, requestId]) => itemOf(seeds, requestId, accountId, { command: { kind: 'close', note: '' } }));
  const { accounts, requests } = keyed('a secret');
  expect(items.map(({ accountHash }) => accountHash)).toEqual(accounts);
  expect(items.flatMap(({ hashFirst, hashSecond }) => [hashFirst, hashSecond])).toEqual(requests);
});
