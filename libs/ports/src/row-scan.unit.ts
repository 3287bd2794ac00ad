import { decodePosition, encodePosition } from './row-position';
import type { CollectionDefinition } from './read-store';
import { assertCollection } from './row-scan';

const TASKS: CollectionDefinition = {
  name: 'tasks',
  key: 'task_id',
  fields: { task_id: 'text', queue: 'text', state: 'text', due_at_us: 'number', payload: 'bytes' },
  indexes: { by_queue: ['queue', 'state', 'due_at_us'], by_state: ['state', 'due_at_us'] },
};

test.each`
  wrong                     | change
  ${'bytes in an index'}    | ${{ indexes: { wrong: ['payload'] } }}
  ${'the key in an index'}  | ${{ indexes: { wrong: ['queue', 'task_id'] } }}
  ${'a field twice'}        | ${{ indexes: { wrong: ['queue', 'queue'] } }}
  ${'an unknown field'}     | ${{ indexes: { wrong: ['colour'] } }}
  ${'an index of nothing'}  | ${{ indexes: { wrong: [] } }}
  ${'a key that is a time'} | ${{ key: 'due_at_us', indexes: {} }}
`('a collection with $wrong is refused', ({ change }: { change: Partial<CollectionDefinition> }) => {
  expect(() => assertCollection({ ...TASKS, ...change })).toThrow();
  expect(() => assertCollection(TASKS)).not.toThrow();
});

test('a place comes back as it was, int64 to the last unit', () => {
  const place = ['', 'a"\u0000\\🦀', -(2n ** 63n), 2n ** 63n - 1n, 0, -1, Number.MAX_SAFE_INTEGER, true, false];
  expect(decodePosition(encodePosition(place))).toEqual(place);
});

test.each(['', 'x', '{}', '"a"', '[null]', '[{"int64":"1.5"}]', '[{"int64":1}]', '[["a"]]'])('what is no place is none: %s', (text) => {
  expect(decodePosition(text)).toBeUndefined();
});
