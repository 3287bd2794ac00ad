import { evenShare } from './partition-leases';

test.each`
  instances          | self   | partitions | share
  ${[]}              | ${'a'} | ${4}       | ${4}
  ${['a', 'b']}      | ${'b'} | ${4}       | ${2}
  ${['a', 'b', 'c']} | ${'a'} | ${4}       | ${2}
  ${['a', 'b', 'c']} | ${'c'} | ${4}       | ${1}
  ${['b', 'a', 'a']} | ${'c'} | ${4}       | ${1}
  ${['a', 'b', 'c']} | ${'c'} | ${2}       | ${0}
`('of $instances, $self gets $share of $partitions partitions', ({ instances, self, partitions, share }) => {
  expect(evenShare(instances, self, partitions)).toBe(share);
});
