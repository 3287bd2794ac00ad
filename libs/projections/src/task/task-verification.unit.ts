import { countIdOf } from './collections';
import { taskVerification } from './task-verification';

test.each`
  aggregate  | key
  ${'task'}  | ${'mails/out/17'}
  ${'queue'} | ${countIdOf('mails/out', 'letter')}
`('a $aggregate is in the partition of its queue', ({ aggregate, key }: { aggregate: string; key: string }) => {
  expect(taskVerification.kinds.find((kind) => kind.aggregate === aggregate)?.partitionKey(key)).toBe('mails/out');
});

test('what is no key of a queue is in some partition, and is found in none', () => {
  for (const { partitionKey } of taskVerification.kinds) expect(partitionKey('nothing')).toEqual(expect.any(String));
});
