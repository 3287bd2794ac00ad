import { accountpb } from '@sluice/protocol/account';
import { numberedAccountId } from './load-order';
import { buildFrame, creditOf, writeRandomAccounts, writeRequestIds } from './request-frame';
import { RequestIds } from './request-ids';

const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

test('a frame is what the generated encoder makes, with other request ids each time', () => {
  const ids = new RequestIds(0x0123_4567_89ab);
  const frame = buildFrame(['hot', 'hot', 'another-account']);
  const seen = new Set<string>();
  for (let time = 0; time < 100; time += 1) {
    writeRequestIds(frame, ids);
    const { postings, atomic } = accountpb.PostBatchRequest.decode(frame.bytes);
    expect(atomic).toBe(false);
    expect(postings.map(({ accountId }) => accountId)).toEqual(['hot', 'hot', 'another-account']);
    for (const posting of postings) {
      expect(posting.requestId).toMatch(UUID_FORM);
      seen.add(posting.requestId);
      expect({ ...posting, requestId: '' }).toEqual({ ...creditOf(posting.accountId, posting.amountMinor), requestId: '' });
      expect(posting.amountMinor > 0n).toBe(true);
    }
  }
  expect(seen.size).toBe(300);
});

test('a frame of one posting is also a PostRequest', () => {
  const frame = buildFrame(['hot']);
  writeRequestIds(frame, new RequestIds(7));
  expect(accountpb.PostRequest.decode(frame.bytes).posting).toEqual(accountpb.PostBatchRequest.decode(frame.bytes).postings[0]);
});

test('random accounts are accounts that were opened', () => {
  const frame = buildFrame(new Array<string>(500).fill(numberedAccountId(0)));
  writeRandomAccounts(frame, 40);
  const opened = new Set(Array.from({ length: 40 }, (_, index) => numberedAccountId(index)));
  const used = new Set(accountpb.PostBatchRequest.decode(frame.bytes).postings.map(({ accountId }) => accountId));
  expect([...used].every((accountId) => opened.has(accountId))).toBe(true);
  expect(used.size).toBeGreaterThan(30);
});

test('a hundred thousand ids of two generators never meet', () => {
  const bytes = Buffer.from('00000000-0000-0000-0000-000000000000', 'latin1');
  const seen = new Set<string>();
  for (const run of [1, 2]) {
    const ids = new RequestIds(run);
    for (let each = 0; each < 50_000; each += 1) {
      ids.writeNext(bytes, 0);
      seen.add(bytes.toString('latin1'));
    }
  }
  expect(seen.size).toBe(100_000);
});
