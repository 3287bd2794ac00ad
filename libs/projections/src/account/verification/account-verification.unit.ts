import { transferId } from '../transfer-group';
import { accountVerification } from './account-verification';

test.each`
  aggregate     | key
  ${'account'}  | ${'a:1'}
  ${'transfer'} | ${transferId('a:1', '7:b')}
`('a kind $aggregate is in the partition of its account', ({ aggregate, key }: { aggregate: string; key: string }) => {
  expect(accountVerification.kinds.find((kind) => kind.aggregate === aggregate)?.partitionKey(key)).toBe('a:1');
});

test('the first kind of accounts is the account', () => {
  expect(accountVerification.kinds.map(({ aggregate }) => aggregate)).toEqual(['account', 'transfer']);
});
